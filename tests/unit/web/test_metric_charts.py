"""The chart of a metric is made of its hours where they were read, else of its days, and says which."""

from __future__ import annotations

import math
from array import array
from dataclasses import replace

from tests.support.facts import flat
from tests.support.facts import instance as real_instance

from finops.domain.days import DayPoints
from finops.domain.price import Cost
from finops.domain.rings import Ring
from finops.domain.utilization import Utilization
from finops.store.connection import Store
from finops.store.utilization import UtilizationStore
from finops_web.readings.metrics import charts_of
from finops_web.readings.resources import ResourceRow

FIRST = 20_416
ASKED = (FIRST + 2) * 86_400 + 45_000


def row_of(store: Store) -> ResourceRow:
    machine = real_instance()
    kept = UtilizationStore(store)
    level = (array("f", [10.0, 20.0, math.nan]), array("f", [30.0, 90.0, math.nan]), array("f", [1440.0] * 3))
    amount = (array("f", [100.0, 400.0, 50.0]), array("f", [9.0, 9.0, 9.0]))
    kept.days.put(
        machine.shard,
        {
            (machine.id, "cpuPercent"): DayPoints(ASKED, FIRST, level),
            (machine.id, "networkInBytes"): DayPoints(ASKED, FIRST, amount),
        },
    )
    summaries = {"cpuPercent": replace(flat(20), total=None), "networkInBytes": flat(100)}
    return ResourceRow.of(machine, Cost(None, None), Utilization(machine.id, summaries))


def test_days_that_decided_are_drawn_as_days_and_say_so(store: Store) -> None:
    cpu, network = charts_of(store, row_of(store))
    assert (cpu.by_day, network.by_day) == (True, True)
    assert cpu.what == "highest value of each day; hours were not needed"
    assert network.what == "sum of each day; hours were not needed"
    assert (cpu.top, network.top) == (90, 400)
    assert [(day.highest, day.mean, day.hours) for day in cpu.days] == [(30, 10, None), (90, 20, None)]
    assert [day.highest for day in network.days] == [100, 400, 50]
    assert cpu.end.timestamp() == ASKED
    # What is not known of a day is no line.
    assert [len(line.split()) for line in cpu.lines] == [2]
    assert (cpu.mark, cpu.below) == (None, None)


def test_hours_are_drawn_where_they_were_read(store: Store) -> None:
    row = row_of(store)
    hours = Ring(FIRST * 24 + 2, (array("f", [1.0, 2.0]), array("f", [3.0, 4.0])))
    UtilizationStore(store).put_rings(row.resource.shard, {(row.resource.id, "cpuPercent"): hours})
    cpu, network = charts_of(store, row)
    assert (cpu.by_day, network.by_day) == (False, True)
    assert cpu.what == "highest value of each hour"
    assert [day.hours for day in cpu.days] == [2]

"""Database clusters of an estate: stopping and starting them takes time and is refused where RDS refuses it.

What has been stopped for seven days starts again by itself, with its members. Source: RDS API reference, StopDBCluster
and StartDBCluster; Aurora user guide, "Stopping and starting an Amazon Aurora DB cluster" (limitations); RDS user
guide, "Limitations of Multi-AZ DB clusters". Moto stops any cluster at once and for ever, and its instances not with
it. Members follow their cluster a moment later. Every call happens under the estate's lock.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from finops_sandbox.aws import wire
from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.clock import naive_utc
from finops_sandbox.aws.databases import STOPPED_FOR
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import Place
from finops_sandbox.aws.estate_services import ClusterSpec
from finops_sandbox.aws.live_estate import LiveEstate
from finops_sandbox.aws.wire import Answer

PREFIX = "cluster:"
"""Of a cluster's name where a resource of any kind is named."""
_AURORA = "aurora"
_STOPPED, _STARTING = "stopped", "starting"


def _backend(account: str, region: str) -> Any:
    from moto.rds.models import rds_backends  # noqa: PLC0415 - moto loads slowly

    return rds_backends[account][region]


def seed(estate: LiveEstate, place: Place, spec: ClusterSpec, created: datetime) -> None:
    """Put a cluster and its members into moto."""
    backend = _backend(place.account, place.region)
    tags = [{"Key": key, "Value": value} for key, value in spec.tags.items()]
    backend.create_db_cluster(
        {
            "db_cluster_identifier": spec.name,
            "engine": spec.engine,
            "engine_mode": spec.mode,
            "master_username": "admin",
            "master_user_password": "not-a-secret",
            "tags": tags,
        }
    )
    cluster = backend.clusters[spec.name]
    for number in range(1, spec.members + 1):
        member = f"{spec.name}-{number}"
        backend.create_db_instance(
            {
                "db_instance_identifier": member,
                "db_cluster_identifier": spec.name,
                "db_instance_class": spec.db_class,
                "engine": spec.engine,
                "tags": tags,
            }
        )
        backend.databases[member].dbi_resource_id = f"db-{member.upper()}"
    _have(estate, (place.account, place.region, spec.name), spec.state, estate.clock.now())
    cluster.db_cluster_resource_id = f"cluster-{spec.name.upper()}"
    cluster.global_cluster_identifier = spec.global_database or None
    cluster.read_replica_identifiers = list(spec.replicas)
    cluster.cluster_create_time = naive_utc(created)


def settle(estate: LiveEstate, account: str, region: str) -> None:
    """Let what is due happen: a cluster that stops is stopped, one that starts is available, then its members are."""
    for place in [one for one in estate.further.clusters_due if one[:2] == (account, region)]:
        _catch_up(estate, place, estate.clock.now())


def _catch_up(estate: LiveEstate, place: tuple[str, str, str], now: datetime) -> None:
    """Take a cluster through all states that are due: several where the clock was moved by more than a week."""
    due = estate.further.clusters_due
    while place in due and due[place][1] <= now:
        state, moment = due[place]
        cluster = _backend(*place[:2]).clusters.get(place[2])
        if cluster is None:
            del due[place]
            return
        members = moment + timedelta(seconds=estate.delays.database_seconds)
        _show(cluster, state, moment)
        if state == _STARTING:
            # It starts by itself, its members with it.
            due[place] = ("available", members)
        elif members <= now:
            del due[place]
        else:
            return
        _have(estate, place, state, moment)


def _have(estate: LiveEstate, place: tuple[str, str, str], state: str, moment: datetime) -> None:
    """Give a cluster and its members a state that it has since a moment; a stopped one will start by itself."""
    _show(_backend(*place[:2]).clusters[place[2]], state, moment)
    if state == _STOPPED:
        estate.further.clusters_due[place] = (_STARTING, moment + STOPPED_FOR)
    _set_members(*place, state)


def _show(cluster: Any, state: str, since: datetime) -> None:
    cluster.status = state
    cluster.automatic_restart_time = naive_utc(since + STOPPED_FOR) if state == _STOPPED else None


def _set_members(account: str, region: str, name: str, state: str) -> None:
    for database in _backend(account, region).databases.values():
        if database.db_cluster_identifier == name:
            database.status = state


def shown(estate: LiveEstate, account: str, region: str, name: str) -> dict[str, Any]:
    """State of one cluster.

    Raises:
        AwsError: there is none of that name.
    """
    settle(estate, account, region)
    return {"id": f"{PREFIX}{name}", "kind": "rds-cluster", "state": _named(account, region, name).status}


def change(estate: LiveEstate, account: str, region: str, name: str, changes: Mapping[str, Any]) -> None:
    """Change a cluster as a person would: `state` of it and of its members at once."""
    _named(account, region, name)
    estate.further.clusters_due.pop((account, region, name), None)
    if "state" in changes:
        _have(estate, (account, region, name), str(changes["state"]), estate.clock.now())


def _named(account: str, region: str, name: str) -> Any:
    found = _backend(account, region).clusters.get(name)
    if found is None:
        raise AwsError("DBClusterNotFoundFault", f"DBCluster {name} not found.", 404)
    return found


def _refuse_tied(cluster: Any) -> None:
    """Refuse what AWS neither stops nor starts, whatever its state."""
    if not cluster.engine.startswith(_AURORA):
        message = f"The operation is not supported for DB clusters with engine {cluster.engine}."
        raise AwsError("InvalidParameterCombination", message)
    if cluster.engine_mode != "provisioned":
        message = f"Stop and start are not supported for DB clusters with engine mode {cluster.engine_mode}."
        raise AwsError("InvalidDBClusterStateFault", message)
    if cluster.global_cluster_identifier or cluster.read_replica_identifiers or cluster.replication_source_identifier:
        message = (
            "Stop and start are not supported for a DB cluster of a global database or with cross-region replicas."
        )
        raise AwsError("InvalidDBClusterStateFault", message)


def _change_state(call: Call, wanted: str, state: str, target: str) -> Answer:
    name = str(call.parameters.get("DBClusterIdentifier", ""))
    cluster = _named(call.account, call.region, name)
    _refuse_tied(cluster)
    if cluster.status != wanted:
        message = f"DbCluster {name} is in {cluster.status} state but expected it to be one of {wanted}."
        raise AwsError("InvalidDBClusterStateFault", message)
    members = [one for one in _backend(call.account, call.region).databases.values() if _belongs(one, name)]
    if any(one.status != wanted for one in members):
        raise AwsError("InvalidDBInstanceState", f"A DB instance of {name} is not in {wanted} state.")
    cluster.status, cluster.automatic_restart_time = state, None
    _set_members(call.account, call.region, name, state)
    due = call.estate.clock.now() + timedelta(seconds=call.estate.delays.database_seconds)
    call.estate.further.clusters_due[call.account, call.region, name] = (target, due)
    # AWS answers with what the cluster was, and shows the change with the next reading.
    answer = {"DBCluster": {"DBClusterIdentifier": name, "Status": wanted}}
    return wire.write_query(wire.load_model("rds").operation_model(call.action), answer)


def _belongs(database: Any, cluster: str) -> bool:
    return bool(database.db_cluster_identifier == cluster)


def _stop(call: Call) -> Answer:
    return _change_state(call, "available", "stopping", "stopped")


def _start(call: Call) -> Answer:
    return _change_state(call, "stopped", "starting", "available")


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("rds", "StopDBCluster"): _stop,
    ("rds", "StartDBCluster"): _start,
}

"""AWS's offer files as tests make them, and an HTTP server that gives them as AWS does.

The format is that of "Reading the service price list file for an AWS service": five lines of metadata, a line of column
names, a row for each price. No test asks AWS.
"""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

PUBLISHED: Final = "2026-11-20T17:02:03Z"
VERSION: Final = "20261120170203"
_PRICE: Final = (
    *("SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange"),
    *("EndingRange", "Unit", "PricePerUnit", "Currency", "RelatedTo", "LeaseContractLength", "PurchaseOption"),
    *("OfferingClass", "Product Family", "serviceCode", "Location", "Location Type"),
)
_PRODUCT: Final = (
    *("Instance Type", "Operating System", "License Model", "Tenancy", "Pre Installed S/W", "CapacityStatus"),
    *("MarketOption", "Volume API Name", "Group", "Cache Engine", "Database Engine", "Database Edition"),
    *("Deployment Option", "usageType", "operation", "Region Code", "serviceName"),
)
COLUMNS: Final = (*_PRICE, *_PRODUCT)


def price(sku: str, amount: str, unit: str, usage: str, **words: str) -> dict[str, str]:
    """Return a row: an on-demand price in us-east-1 for all units, with the columns that `words` name.

    Names of columns are written with underscores for blanks: `Product_Family`.
    """
    row = {
        "SKU": sku,
        "OfferTermCode": "JRTCKXETXF",
        "RateCode": f"{sku}.JRTCKXETXF.6YS6EN2CT7",
        "TermType": "OnDemand",
        "EffectiveDate": "2026-11-01",
        "StartingRange": "0",
        "EndingRange": "Inf",
        "Unit": unit,
        "PricePerUnit": amount,
        "Currency": "USD",
        "usageType": usage,
        "Region Code": "us-east-1",
        "Location Type": "AWS Region",
    }
    return row | {name.replace("_", " "): word for name, word in words.items()}


def instance(sku: str, name: str, amount: str, **words: str) -> dict[str, str]:
    """Return the row of a Linux instance as most people run it."""
    known = {
        "Product_Family": "Compute Instance",
        "Instance_Type": name,
        "Operating_System": "Linux",
        "License_Model": "No License required",
        "Tenancy": "Shared",
        "CapacityStatus": "Used",
        "MarketOption": "OnDemand",
        "operation": "RunInstances",
    }
    return price(sku, amount, "Hrs", f"BoxUsage:{name}", **{**known, **words}) | {"Pre Installed S/W": "NA"}


def offer_text(code: str, rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> str:
    """Return an offer file."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(("FormatVersion", "v1.0"))
    writer.writerow(("Disclaimer", 'This pricing list is for "informational" purposes only.'))
    writer.writerow(("Publication Date", PUBLISHED))
    writer.writerow(("Version", VERSION))
    writer.writerow(("OfferCode", code))
    writer.writerow(columns)
    writer.writerows([row.get(name, "") for name in columns] for row in rows)
    return out.getvalue()


@dataclass(slots=True)
class OfferServer:
    """What the server gives.

    Attributes:
        base: its address.
        offers: code and region → an offer file.
        failures: how many times a path is answered with 503 first.
        cut: paths that end in the middle, though the answer names the whole length.
        asked: paths in the order in which they were asked for.
    """

    base: str = ""
    offers: dict[tuple[str, str], str] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def put(self, code: str, region: str, rows: Sequence[Mapping[str, str]]) -> str:
        """Offer a service in a region; return the path of its file."""
        self.offers[code, region] = offer_text(code, rows)
        return path_of(code, region)


def path_of(code: str, region: str) -> str:
    """Return where the file of a service in a region lies."""
    return f"/offers/v1.0/aws/{code}/{VERSION}/{region}/index.csv"


def _answer(server: OfferServer, path: str) -> bytes | None:
    parts = path.split("/")
    code = parts[4] if len(parts) > 4 else ""
    if path == f"/offers/v1.0/aws/{code}/current/region_index.json":
        regions = {
            region: {"regionCode": region, "currentVersionUrl": path_of(code, region).replace(".csv", ".json")}
            for of, region in server.offers
            if of == code
        }
        return json.dumps({"formatVersion": "v1.0", "publicationDate": PUBLISHED, "regions": regions}).encode()
    found = next((text for (of, region), text in server.offers.items() if path == path_of(of, region)), None)
    return None if found is None else found.encode()


@contextmanager
def offer_server() -> Iterator[OfferServer]:
    """Yield a server on this machine that has no offers yet."""
    offered = OfferServer()

    class _Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            offered.asked.append(self.path)
            left = offered.failures.get(self.path, 0)
            content = _answer(offered, self.path)
            if left:
                offered.failures[self.path] = left - 1
                self.send_error(503)
            elif content is None:
                self.send_error(403)
            else:
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if self.path in offered.cut else content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Keep the output of tests clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    offered.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield offered
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

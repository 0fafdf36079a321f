"""Offer files with the columns of AWS's own, in AWS's order, written as AWS writes them.

The columns are those of the files of AmazonEC2 published on 2025-09-12 and of AmazonRDS on 2026-04-28, as people quote
them. What has a value is quoted, what has none is not. Prices are made up where they must differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

_TERM: Final = (
    "SKU,OfferTermCode,RateCode,TermType,PriceDescription,EffectiveDate,StartingRange,EndingRange,Unit,PricePerUnit,"
    "Currency,RelatedTo,LeaseContractLength,PurchaseOption,OfferingClass,Product Family,serviceCode,Location,"
    "Location Type,Instance Type,Current Generation,Instance Family,vCPU,Physical Processor,Clock Speed,Memory,Storage,"
    "Network Performance,Processor Architecture,Storage Media,Volume Type,"
)
EC2: Final = (
    _TERM + "Max Volume Size,Max IOPS/volume,Max IOPS Burst Performance,Max throughput/volume,Provisioned,Tenancy,"
    "EBS Optimized,Operating System,License Model,Group,Group Description,Transfer Type,From Location,"
    "From Location Type,To Location,To Location Type,usageType,operation,AvailabilityZone,CapacityStatus,"
    "ClassicNetworkingSupport,Dedicated EBS Throughput,ECU,Elastic Graphics Type,Enhanced Networking Supported,"
    "From Region Code,GPU,GPU Memory,Instance,Instance Capacity - 10xlarge,Instance Capacity - 12xlarge,"
    "Instance Capacity - 16xlarge,Instance Capacity - 18xlarge,Instance Capacity - 24xlarge,"
    "Instance Capacity - 2xlarge,Instance Capacity - 32xlarge,Instance Capacity - 4xlarge,"
    "Instance Capacity - 8xlarge,Instance Capacity - 9xlarge,Instance Capacity - large,Instance Capacity - medium,"
    "Instance Capacity - metal,Instance Capacity - xlarge,instanceSKU,Intel AVX2 Available,Intel AVX Available,"
    "Intel Turbo Available,MarketOption,Normalization Size Factor,Physical Cores,Pre Installed S/W,"
    "Processor Features,Product Type,Region Code,Resource Type,serviceName,SnapshotArchiveFeeType,To Region Code,"
    "Volume API Name,VPCNetworkingSupport"
)
RDS: Final = (
    _TERM + "Min Volume Size,Max Volume Size,Engine Code,Database Engine,Database Edition,License Model,"
    "Deployment Option,Group,Group Description,usageType,operation,ACU,Dedicated EBS Throughput,Deployment Model,"
    "Engine Major Version,Engine Media Type,Enhanced Networking Supported,Extended Support Pricing Year,"
    "Instance Type Family,LimitlessPreview,Normalization Size Factor,Processor Features,Region Code,serviceName,"
    "Unbundled Licensing,Volume Name,WindowsLicenseMultiplier"
)
DISCLAIMER: Final = (
    "This pricing list is for informational purposes only. All prices are subject to the additional terms included in "
    "the pricing pages on http://aws.amazon.com. All Free Tier prices are also subject to the terms included at "
    "https://aws.amazon.com/free/"
)
Row = Mapping[str, str]
ON_DEMAND, HOURLY, UPFRONT = "JRTCKXETXF", "6YS6EN2CT7", "2TG2D8R56U"


def on_demand(sku: str, amount: str, unit: str, usage: str, **words: str) -> Row:
    """Return a row of the one on-demand term; names of columns with underscores for blanks."""
    row = {
        "SKU": sku,
        "OfferTermCode": ON_DEMAND,
        "RateCode": f"{sku}.{ON_DEMAND}.{HOURLY}",
        "TermType": "OnDemand",
        "PriceDescription": f"${amount} per {unit}, for {usage}",
        "EffectiveDate": "2026-11-01",
        "StartingRange": "0",
        "EndingRange": "Inf",
        "Unit": unit,
        "PricePerUnit": amount,
        "Currency": "USD",
        "Location": "US East (N. Virginia)",
        "Location Type": "AWS Region",
        "usageType": usage,
        "Region Code": "us-east-1",
    }
    return row | {name.replace("_", " "): word for name, word in words.items()}


def instance(sku: str, name: str, amount: str, **words: str) -> Row:
    """Return the row of a Linux instance on shared hardware."""
    known = {
        "Product_Family": "Compute Instance",
        "serviceCode": "AmazonEC2",
        "Instance_Type": name,
        "Current_Generation": "Yes",
        "Memory": "8 GiB",
        "Storage": "EBS only",
        "Tenancy": "Shared",
        "Operating_System": "Linux",
        "License_Model": "No License required",
        "operation": "RunInstances",
        "CapacityStatus": "Used",
        "MarketOption": "OnDemand",
        "Normalization_Size_Factor": "4",
        "Processor_Features": "Intel AVX; Intel AVX2; Intel AVX512; Intel Turbo",
        "serviceName": "Amazon Elastic Compute Cloud",
    }
    usage = words.pop("usageType", f"BoxUsage:{name}")
    installed = {"Pre Installed S/W": words.pop("Installed", "NA")}
    return {**on_demand(sku, amount, "Hrs", usage, **{**known, **words}), **installed}


def reserved(row: Row, term: str, lease: str, option: str, hourly: str, upfront: str = "") -> list[Row]:
    """Return the rows of a reserved term of the same product: its hours, and what is paid once where something is."""
    sold = {"TermType": "Reserved", "OfferTermCode": term, "LeaseContractLength": lease, "PurchaseOption": option}
    sold |= {"OfferingClass": "standard"}
    made: list[Row] = [{**row, **sold, "RateCode": f"{row['SKU']}.{term}.{HOURLY}", "PricePerUnit": hourly}]
    if upfront:
        once = {"Unit": "Quantity", "PricePerUnit": upfront, "StartingRange": "", "EndingRange": ""}
        once |= {"PriceDescription": "Upfront Fee", "RateCode": f"{row['SKU']}.{term}.{UPFRONT}"}
        made.append({**row, **sold, **once})
    return made


def published(code: str, rows: Iterable[Row], columns: str = EC2, *, mark: str = "", ends: str = "\n") -> str:
    """Return an offer file; `mark` stands before it, `ends` after each line."""
    names = columns.split(",")
    head = (
        ("FormatVersion", "v1.0"),
        ("Disclaimer", DISCLAIMER),
        ("Publication Date", "2026-11-20T17:02:03Z"),
        ("Version", "20261120170203"),
        ("OfferCode", code),
        names,
    )
    lines = (*head, *([row.get(name, "") for name in names] for row in rows))
    return mark + "".join(",".join(f'"{cell}"' if cell else "" for cell in line) + ends for line in lines)

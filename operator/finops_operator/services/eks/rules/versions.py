"""How long AWS supports each Kubernetes version: EKS says so itself, and is asked once for a listing.

Fourteen months of standard support are followed by twelve of extended support, in which a cluster costs more by the
hour, unless its upgrade policy is `STANDARD`: then EKS upgrades it at the end of the first.
https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from finops.domain.resource import Gap
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of, parse_seconds, parse_time

OPERATION: Final = "eks:DescribeClusterVersions"
STANDARD: Final = "standard"
EXTENDED: Final = "extended"
UNSUPPORTED: Final = "unsupported"
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Support:
    """Of one version; None: AWS did not say.

    Attributes:
        status: `standard`, `extended` or `unsupported`.
        standard_ends: ISO day on which standard support ends.
    """

    status: str | None = None
    standard_ends: str | None = None


@dataclass(slots=True)
class Versions:
    """Looks versions up; what could not be read is unknown, and is a Gap once."""

    reader: PageReader
    failed: list[Gap] = field(default_factory=list)
    _known: dict[str, Support] | None = None

    def of(self, version: str) -> Support:
        """Return the support of one version."""
        if self._known is None:
            self._known = self._read()
        return self._known.get(version, Support())

    def _read(self) -> dict[str, Support]:
        found: dict[str, Support] = {}
        try:
            for page in self.reader.pages(OPERATION, {"includeAll": True, "maxResults": _PAGE}):
                for one in page.get("clusterVersions", ()):
                    end = one.get("endOfStandardSupportDate")
                    day = parse_time(end) or parse_seconds(end)
                    # The older of two fields writes `extended-support`, the newer one `EXTENDED_SUPPORT`.
                    status = str(one.get("versionStatus") or one.get("status") or "").lower()
                    word = status.replace("_", "-").removesuffix("-support")
                    found[str(one.get("clusterVersion"))] = Support(
                        word or None, None if day is None else day.date().isoformat()
                    )
        except AwsError as error:
            self.failed.append(gap_of(error, self.reader))
        return found

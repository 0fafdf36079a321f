"""The service categories of FOCUS 1.2 with their subcategories: what a kind of resource says it is billed as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

CATEGORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "AI and Machine Learning": (
        *("AI Platforms", "Bots", "Generative AI", "Machine Learning", "Natural Language Processing"),
    ),
    "Analytics": (
        *("Analytics Platforms", "Business Intelligence", "Data Processing", "Search", "Streaming Analytics"),
    ),
    "Business Applications": ("Productivity and Collaboration",),
    "Compute": ("Containers", "End User Computing", "Quantum Compute", "Serverless Compute", "Virtual Machines"),
    "Databases": (
        *("Caching", "Data Warehouses", "Ledger Databases", "NoSQL Databases", "Relational Databases"),
        *("Time Series Databases",),
    ),
    "Developer Tools": (
        *("Developer Platforms", "Continuous Integration and Deployment", "Development Environments"),
        *("Source Code Management", "Quality Assurance"),
    ),
    "Multicloud": ("Multicloud Integration",),
    "Identity": ("Identity and Access Management",),
    "Integration": ("API Management", "Messaging", "Workflow Orchestration"),
    "Internet of Things": ("IoT Analytics", "IoT Platforms"),
    "Management and Governance": (
        *("Architecture", "Compliance", "Cost Management", "Data Governance", "Disaster Recovery"),
        *("Endpoint Management", "Observability", "Support"),
    ),
    "Media": ("Content Creation", "Gaming", "Media Streaming", "Mixed Reality"),
    "Migration": ("Data Migration", "Resource Migration"),
    "Mobile": (),
    "Networking": (
        *("Application Networking", "Content Delivery", "Network Connectivity", "Network Infrastructure"),
        *("Network Routing", "Network Security"),
    ),
    "Security": ("Secret Management", "Security Posture Management", "Threat Detection and Response"),
    "Storage": ("Backup Storage", "Block Storage", "File Storage", "Object Storage", "Storage Platforms"),
    "Web": ("Application Platforms",),
    "Other": (),
}
"""Service category → its subcategories; each has `Other (CATEGORY)` beside them."""


def subcategories(category: str) -> tuple[str, ...]:
    """Return the subcategories that a category may have; none when FOCUS has no such category."""
    return (*CATEGORIES[category], f"Other ({category})") if category in CATEGORIES else ()


@dataclass(frozen=True, slots=True)
class BilledAs:
    """How AWS and FOCUS name what a kind of resource is billed as.

    Attributes:
        service: AWS's full name of the service, empty where that is not known. FOCUS gives a service one category by
            its primary purpose, so that what an invoice has under a service of another purpose is named by its own.
        category, subcategory: FOCUS's words.
        zone_fact: which of the kind's facts names the availability zone; empty: none does.
    """

    service: str
    category: str
    subcategory: str
    zone_fact: str = ""


UNNAMED: Final = BilledAs("", "Other", "Other (Other)")
"""For a kind that does not say."""

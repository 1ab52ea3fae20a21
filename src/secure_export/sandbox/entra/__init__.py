"""A stand-in for Entra ID: metadata, signing keys, and tokens for applications."""

from secure_export.sandbox.entra.app import entra_app
from secure_export.sandbox.entra.directory import (
    AZNS_APP_ID,
    AZNS_SANDBOX_SECRET,
    DEFAULT_TENANT_ID,
    RESOURCE_APP_ID,
    ROLE,
    ClientApplication,
    Directory,
    ResourceApplication,
    default_directory,
)
from secure_export.sandbox.entra.entra import SandboxEntra
from secure_export.sandbox.entra.minting import Order, mint
from secure_export.sandbox.entra.outage import Outage, OutageMode
from secure_export.sandbox.entra.run import run_entra, start_entra

__all__ = [
    "AZNS_APP_ID",
    "AZNS_SANDBOX_SECRET",
    "DEFAULT_TENANT_ID",
    "RESOURCE_APP_ID",
    "ROLE",
    "ClientApplication",
    "Directory",
    "Order",
    "Outage",
    "OutageMode",
    "ResourceApplication",
    "SandboxEntra",
    "default_directory",
    "entra_app",
    "mint",
    "run_entra",
    "start_entra",
]

"""BMC Helix ITSM (Remedy): incidents and the CMDB; ``connector`` is what the entry point names."""

from secure_export.itsm.bmc_helix.bmc_helix_connector import BmcHelixType
from secure_export.itsm.contract import ConnectorType

connector: ConnectorType = BmcHelixType()

"""ServiceNow: incidents and other tasks, or events, and the CMDB; ``connector`` is what the entry point names."""

from secure_export.itsm.contract import ConnectorType
from secure_export.itsm.servicenow.servicenow_connector import ServiceNowType

connector: ConnectorType = ServiceNowType()

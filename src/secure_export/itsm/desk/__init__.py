"""The embedded ITSM tool and CMDB; ``connector`` is what the entry point names."""

from secure_export.itsm.contract import ConnectorType
from secure_export.itsm.desk.desk_connector import DeskType

connector: ConnectorType = DeskType()

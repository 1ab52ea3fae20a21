"""Choice lists (servicenow-facts 2, 9.1, 9.2, 10.1)."""

from typing import Final

from secure_export.sandbox.servicenow.close_codes import CloseCodes, set_close_codes
from secure_export.sandbox.servicenow.demo_data.seeding import Seeding

# For each column: the table, the column, and value=label; a value alone is its own label; indented lines go on.
_LISTS: Final = """
task state | -5=Pending, 1=Open, 2=Work in Progress, 3=Closed Complete, 4=Closed Incomplete, 7=Closed Skipped
task impact | 1=1 - High, 2=2 - Medium, 3=3 - Low
task urgency | 1=1 - High, 2=2 - Medium, 3=3 - Low
task priority | 1=1 - Critical, 2=2 - High, 3=3 - Moderate, 4=4 - Low, 5=5 - Planning
task escalation | 0=Normal, 1=Moderate, 2=High, 3=Overdue
task approval | not requested=Not Yet Requested, requested=Requested, approved=Approved, rejected=Rejected
task contact_type | chat=Chat, email=Email, phone=Phone, self-service=Self-service, virtual_agent=Virtual Agent,
  walk-in=Walk-in
incident contact_type | chat=Chat, email=Email, phone=Phone, self-service=Self-service, virtual_agent=Virtual Agent,
  walk-in=Walk-in, monitoring=Monitoring
incident state | 1=New, 2=In Progress, 3=On Hold, 6=Resolved, 7=Closed, 8=Canceled
incident incident_state | 1=New, 2=In Progress, 3=On Hold, 6=Resolved, 7=Closed, 8=Canceled
incident hold_reason | 1=Awaiting Caller, 5=Awaiting Change, 3=Awaiting Problem, 4=Awaiting Vendor
incident category | inquiry=Inquiry / Help, software=Software, hardware=Hardware, network=Network, database=Database
incident subcategory | antivirus=Antivirus, email=Email, internal application=Internal Application, os=Operating
  System, cpu=CPU, disk=Disk, memory=Memory, dhcp=DHCP, dns=DNS, ip address=IP Address, vpn=VPN, wireless=Wireless,
  db2=DB2, oracle=Oracle, sql server=MS SQL Server
incident notify | 1=Do Not Notify, 2=Send Email, 3=Phone
incident severity | 1=1 - High, 2=2 - Medium, 3=3 - Low
problem state | 101=New, 102=Assess, 103=Root Cause Analysis, 104=Fix in Progress, 106=Resolved, 107=Closed
problem problem_state | 101=New, 102=Assess, 103=Root Cause Analysis, 104=Fix in Progress, 106=Resolved, 107=Closed
problem resolution_code | fix_applied=Fix Applied, risk_accepted=Risk Accepted, duplicate=Duplicate, canceled=Canceled
problem category | software=Software, hardware=Hardware, network=Network, database=Database
problem subcategory | email=Email, os=Operating System, cpu=CPU, disk=Disk, memory=Memory, dns=DNS, vpn=VPN
problem_task state | 151=New, 152=Assess, 154=Work in Progress, 157=Closed
change_request state | -5=New, -4=Assess, -3=Authorize, -2=Scheduled, -1=Implement, 0=Review, 3=Closed, 4=Canceled
change_request type | normal=Normal, standard=Standard, emergency=Emergency
change_request risk | 2=High, 3=Moderate, 4=Low
change_request scope | 1=Massive, 2=Large, 3=Medium, 4=Small, 5=Tiny
change_request category | Hardware, Software, Service, System Software, Applications Software, Network, Telecom,
  Documentation, Other
change_request close_code | successful=Successful, successful_issues=Successful with issues, unsuccessful=Unsuccessful
change_request phase | requested=Requested, plan=Plan, build=Build, test=Test, accept=Accept
change_request phase_state | open=Open, work in progress=Work in Progress, on hold=On hold, complete=Complete,
  canceled=Canceled
change_task close_code | successful=Successful, successful_issues=Successful with issues, unsuccessful=Unsuccessful
change_task change_task_type | planning=Planning, implementation=Implementation, testing=Testing, review=Review
cmdb_ci install_status | 1=Installed, 2=On Order, 3=In Maintenance, 4=Pending Install, 5=Pending Repair, 6=In Stock,
  7=Retired, 8=Stolen, 100=Absent
cmdb_ci operational_status | 1=Operational, 2=Non-Operational, 3=Repair in Progress, 4=DR Standby, 5=Ready, 6=Retired
cmdb_ci discovery_source | ServiceNow, SG-Azure, Manual Entry, ImportSet, Other Automated, Event Management
cmdb_ci environment | production=Production, test=Test, development=Development
cmdb_ci_vm_object state | on=On, off=Off, paused=Paused, suspended=Suspended, terminated=Terminated
cmdb_ci_hardware hardware_status | installed=Installed, in_stock=In Stock, retired=Retired
cmdb_ci_service busines_criticality | 1 - most critical, 2 - somewhat critical, 3 - less critical, 4 - not critical
em_alert state | Open, Reopen, Flapping, Closed
em_alert severity | 0=Clear, 1=Critical, 2=Major, 3=Minor, 4=Warning, 5=OK
syslog level | -1=Debug, 0=Information, 1=Warning, 2=Error
"""


def fill(seeding: Seeding) -> None:
    """Write all choice lists; the resolution codes are those of a new instance."""
    for line in filter(None, _LISTS.replace("\n ", "").splitlines()):
        head, _, entries = line.partition(" | ")
        table, element = head.split()
        for position, entry in enumerate(entries.split(", ")):
            value, _, label = entry.partition("=")
            seeding.put(
                "sys_choice",
                f"{table} {element} {value}",
                name=table,
                element=element,
                value=value,
                label=label or value,
                language="en",
                sequence=str(position),
            )
    set_close_codes(seeding.instance, CloseCodes.NEW)

"""The CMDB: servicenow-facts section 10.

``object_id`` stands on subclasses only, never on ``cmdb_ci``; a Kubernetes cluster keeps its id elsewhere (10.1, 10.2).
"""

CMDB = """
cmdb | | Base Configuration Item | | name
  name                      | string 255                           | Name
cmdb_ci | cmdb | Configuration Item
  asset                     | reference alm_asset                  | Asset
  asset_tag                 | string 40                            | Asset tag
  assigned_to               | reference sys_user                   | Assigned to
  assignment_group          | reference sys_user_group             | Change Group
  attributes                | string 4000                          | Attributes
  business_unit             | string 40                            | Business Unit
  can_print                 | boolean =false                       | Can Print
  category                  | string 40                            | Category
  comments                  | string 4000                          | Comments
  company                   | reference core_company               | Company
  correlation_id            | string 100                           | Correlation ID
  cost_center               | string 40                            | Cost center
  department                | reference cmn_department             | Department
  discovery_source          | string 40 choice                     | Discovery source
  dns_domain                | string 255                           | DNS Domain
  environment               | string 40 choice                     | Environment
  fault_count               | integer =0                           | Fault count
  first_discovered          | time                                 | First discovered
  fqdn                      | string 255                           | Fully qualified domain name
  install_date              | time                                 | Installed
  install_status            | integer choice =1                    | Status
  ip_address                | string 255                           | IP Address
  last_discovered           | time                                 | Most recent discovery
  location                  | reference cmn_location               | Location
  mac_address               | string 18                            | MAC Address
  maintenance_schedule      | reference cmn_schedule               | Maintenance schedule
  managed_by                | reference sys_user                   | Managed by
  managed_by_group          | reference sys_user_group             | Managed By Group
  manufacturer              | reference core_company               | Manufacturer
  model_number              | string 40                            | Model number
  monitor                   | boolean =false                       | Monitor
  operational_status        | integer choice =1                    | Operational status
  owned_by                  | reference sys_user                   | Owned by
  serial_number             | string 255                           | Serial number
  short_description         | string 1000                          | Description
  skip_sync                 | boolean =false                       | Skip sync
  subcategory               | string 40                            | Subcategory
  support_group             | reference sys_user_group             | Support group
  supported_by              | reference sys_user                   | Supported by
  sys_domain                | string 40 =global                    | Domain
  unverified                | boolean =false                       | Requires verification
  vendor                    | reference core_company               | Vendor
cmdb_rel_type | sys_metadata | CI Relationship Type | | name
  child_descriptor          | string 40                            | Child descriptor
  name                      | string 80                            | Name
  parent_descriptor         | string 40                            | Parent descriptor
cmdb_rel_ci | | CI Relationship
  child                     | reference cmdb_ci                    | Child
  connection_strength       | string 40                            | Connection strength
  parent                    | reference cmdb_ci                    | Parent
  percent_outage            | integer                              | Percent outage
  type                      | reference cmdb_rel_type              | Type
cmdb_key_value | | Key Value
  configuration_item        | reference cmdb_ci                    | Configuration item
  key                       | string 255                           | Key
  value                     | string 255                           | Value
sys_object_source | | Source | | name
  id                        | string 512                           | ID
  last_scan                 | time                                 | Last scan
  name                      | string 100                           | Name
  source_feed               | string 100                           | Source feed
  target_sys_id             | string 32                            | Target sys ID
  target_table              | string 80                            | Target table
svc_ci_assoc | | Service Configuration Item Association
  ci_id                     | reference cmdb_ci                    | Configuration Item ID
  service_id                | reference cmdb_ci_service            | Service ID
cmdb_identifier | sys_metadata | CI Identifier | | name
  active                    | boolean =true                        | Active
  applies_to                | string 80                            | Applies to
  independent               | boolean =true                        | Independent
  name                      | string 100                           | Name
cmdb_identifier_entry | sys_metadata | CI Identifier Entry
  active                    | boolean =true                        | Active
  attributes                | string 1000                          | Criterion attributes
  identifier                | reference cmdb_identifier            | Identifier
  order                     | integer =100                         | Priority
  table                     | string 80                            | Search on table
sa_cloud_inventory_resource_whitelist | | Cloud Inventory Resource Inclusion
  active                    | boolean =true                        | Active
  resource_type             | string 255                           | Resource type
"""

CMDB_CLASSES = """
cmdb_ci_hardware | cmdb_ci | Hardware
  hardware_status           | string 40 choice =installed          | Hardware status
  hardware_substatus        | string 40                            | Hardware substatus
cmdb_ci_computer | cmdb_ci_hardware | Computer
  cpu_core_count            | integer                              | CPU core count
  cpu_count                 | integer                              | CPU count
  disk_space                | decimal                              | Disk space (GB)
  host_name                 | string 255                           | Host name
  object_id                 | string 255                           | Object ID
  os                        | string 100                           | Operating System
  os_domain                 | string 255                           | OS Domain
  os_version                | string 255                           | OS Version
  ram                       | integer                              | RAM (MB)
  virtual                   | boolean =false                       | Is Virtual
cmdb_ci_server | cmdb_ci_computer | Server
  classification            | string 40 =Production                | Classification
  dr_backup                 | reference cmdb_ci_server             | DR backup
  used_for                  | string 40                            | Used for
cmdb_ci_win_server | cmdb_ci_server | Windows Server
cmdb_ci_unix_server | cmdb_ci_server | UNIX Server
cmdb_ci_linux_server | cmdb_ci_server | Linux Server
cmdb_ci_netgear | cmdb_ci_hardware | Network Gear
cmdb_ci_ip_switch | cmdb_ci_netgear | IP Switch
cmdb_ci_ip_router | cmdb_ci_netgear | IP Router
cmdb_ci_nic | cmdb_ci | Network Adapter
  cmdb_ci                   | reference cmdb_ci                    | Configuration Item
  object_id                 | string 255                           | Object ID
  private_ip                | string 40                            | Private IP
cmdb_ci_storage_device | cmdb_ci | Storage Device
cmdb_ci_storage_volume | cmdb_ci_storage_device | Storage Volume
  object_id                 | string 255                           | Object ID
  size                      | string 40                            | Size
  volume_id                 | string 255                           | Volume ID
cmdb_ci_storage_vol_snapshot | cmdb_ci | Storage Volume Snapshot
  object_id                 | string 255                           | Object ID
cmdb_ci_vm_object | cmdb_ci | Virtual Machine Object
  object_id                 | string 255                           | Object ID
  state                     | string 40 choice                     | State
  vcenter_ref               | string 100                           | vCenter Reference
cmdb_ci_vm_instance | cmdb_ci_vm_object | Virtual Machine Instance
  cpus                      | integer                              | CPUs
  disks                     | integer                              | Disks
  guest_os                  | string 100                           | Guest operating system
  memory                    | integer                              | Memory
  nics                      | integer                              | Network adapters
  vm_inst_id                | string 100                           | VM Instance ID
  guest_os_fullname         | string 255                           | Guest operating system full name
cmdb_ci_ec2_instance | cmdb_ci_vm_instance | EC2 Virtual Machine Instance
cmdb_ci_instance_scale_set | cmdb_ci_vm_object | Instance Scale Set
cmdb_ci_os_template | cmdb_ci_vm_object | Image
cmdb_ci_compute_template | cmdb_ci_vm_object | Hardware Type
cmdb_ci_network | cmdb_ci_vm_object | Cloud Network
cmdb_ci_cloud_subnet | cmdb_ci_vm_object | Cloud Subnet
cmdb_ci_cloud_public_ipaddress | cmdb_ci_vm_object | Cloud Public IP Address
cmdb_ci_compute_security_group | cmdb_ci_vm_object | Compute Security Group
cmdb_ci_nat_gateway | cmdb_ci_vm_object | NAT Gateway
cmdb_ci_virtual_pvt_gateway | cmdb_ci_vm_object | Virtual Private Gateway
cmdb_ci_vpc_gateway_connection | cmdb_ci_vm_object | VPC Gateway Connection
cmdb_ci_cloud_direct_connect | cmdb_ci_vm_object | Cloud Direct Connect
cmdb_ci_resource_group | cmdb_ci_vm_object | Resource Group
cmdb_ci_availability_zone | cmdb_ci_vm_object | Availability Zone
cmdb_ci_availability_set | cmdb_ci_vm_object | Availability Set
cmdb_ci_cmp_resource | cmdb_ci_vm_object | Cloud Resource
  resource_type             | string 255                           | Resource type
cmdb_ci_cloud_host | cmdb_ci | Cloud Host
  object_id                 | string 255                           | Object ID
cmdb_ci_cloud_os_image | cmdb_ci | Cloud OS Image
  object_id                 | string 255                           | Object ID
cmdb_ci_cloud_hardware_type | cmdb_ci | Cloud Hardware Type
  object_id                 | string 255                           | Object ID
cmdb_ci_logical_datacenter | cmdb_ci | Logical Datacenter
  object_id                 | string 255                           | Object ID
  region                    | string 100                           | Region
cmdb_ci_azure_datacenter | cmdb_ci_logical_datacenter | Azure Datacenter
cmdb_ci_cloud_service_account | cmdb_ci | Cloud Service Account
  account_id                | string 255                           | Account Id
  datacenter_type           | string 80                            | Datacenter Type
  object_id                 | string 255                           | Object ID
cmdb_ci_azure_management_group | cmdb_ci | Azure Management Group
  object_id                 | string 255                           | Object ID
cmdb_ci_cloud_load_balancer | cmdb_ci | Cloud Load Balancer
  object_id                 | string 255                           | Object ID
cmdb_ci_lb_service | cmdb_ci | Load Balancer Service
  object_id                 | string 255                           | Object ID
cmdb_ci_cloud_lb_ipaddress | cmdb_ci | Cloud LB IPAddress
  object_id                 | string 255                           | Object ID
cmdb_ci_dns_zone | cmdb_ci | DNS Zone
  object_id                 | string 255                           | Object ID
cmdb_ci_web_acl | cmdb_ci | Web ACL
  object_id                 | string 255                           | Object ID
cmdb_ci_cloud_storage_account | cmdb_ci | Cloud Storage Account
  object_id                 | string 255                           | Object ID
cmdb_ci_cloud_file_share | cmdb_ci | Cloud File Share
  object_id                 | string 255                           | Object ID
cmdb_ci_appl | cmdb_ci | Application
  tcp_port                  | string 40                            | TCP port(s)
  version                   | string 255                           | Version
cmdb_ci_app_server | cmdb_ci_appl | Application Server
cmdb_ci_web_server | cmdb_ci_appl | Web Server
cmdb_ci_database | cmdb_ci_appl | Database
cmdb_ci_db_instance | cmdb_ci_database | Database Instance
cmdb_ci_cloud_database | cmdb_ci | Cloud DataBase
  object_id                 | string 255                           | Object ID
  type                      | string 100                           | Type
  version                   | string 100                           | Version
cmdb_ci_cloud_db_cluster | cmdb_ci | Cloud DB Cluster
  object_id                 | string 255                           | Object ID
cmdb_ci_cloud_webserver | cmdb_ci | Cloud WebServer
  object_id                 | string 255                           | Object ID
cmdb_ci_cloud_appserver | cmdb_ci | Cloud AppServer
  object_id                 | string 255                           | Object ID
cmdb_ci_cloud_function | cmdb_ci | Cloud Function
  object_id                 | string 255                           | Object ID
cmdb_ci_cloud_messaging_service | cmdb_ci | Cloud Messaging Service
  object_id                 | string 255                           | Object ID
cmdb_ci_cloud_topic | cmdb_ci | Cloud Topic
  object_id                 | string 255                           | Object ID
cmdb_ci_kubernetes_cluster | cmdb_ci | Kubernetes Cluster
  cluster_resource_id       | string 255                           | Cluster resource ID
  k8s_uid                   | string 255                           | UID
cmdb_ci_service | cmdb_ci | Service
  busines_criticality       | string 40 choice =4 - not critical   | Business criticality
  number                    | string 40                            | Number
  used_for                  | string 40                            | Used for
cmdb_ci_service_auto | cmdb_ci_service | Mapped Application Service
cmdb_ci_service_discovered | cmdb_ci_service_auto | Discovered Service
service_offering | cmdb_ci_service | Service Offering
  parent                    | reference cmdb_ci_service            | Parent
cmdb_ci_business_app | cmdb_ci | Business Application
  number                    | string 40                            | Number
cmdb_ci_printer | cmdb_ci_hardware | Printer
cmdb_ci_email_server | cmdb_ci_app_server | Email Server
cmdb_ci_web_service | cmdb_ci | Web Service
cmdb_ci_cluster | cmdb_ci | Cluster
cmdb_ci_hyper_v_server | cmdb_ci_server | Hyper-V Server
"""

"""Users, groups, roles, and where they work."""

PEOPLE = """
core_company | | Company | | name
  name                      | string 80                            | Name
  notes                     | string 4000                          | Notes
cmn_location | | Location | | name
  city                      | string 40                            | City
  country                   | string 40                            | Country
  name                      | string 100                           | Name
  parent                    | reference cmn_location               | Parent
  street                    | string 255                           | Street
  time_zone                 | string 40                            | Time zone
cmn_department | | Department | | name
  company                   | reference core_company               | Company
  dept_head                 | reference sys_user                   | Department head
  description               | string 1000                          | Description
  id                        | string 100                           | ID
  name                      | string 100                           | Name
  parent                    | reference cmn_department             | Parent
  primary_contact           | reference sys_user                   | Primary contact
cmn_schedule | | Schedule | | name
  name                      | string 80                            | Name
  time_zone                 | string 40                            | Time zone
  type                      | string 40                            | Type
sys_user | | User | | name
  active                    | boolean =true                        | Active
  building                  | string 40                            | Building
  city                      | string 40                            | City
  company                   | reference core_company               | Company
  cost_center               | string 40                            | Cost center
  country                   | string 3                             | Country code
  date_format               | string 40                            | Date format
  default_perspective       | string 40                            | Default perspective
  department                | reference cmn_department             | Department
  email                     | string 100                           | Email
  employee_number           | string 40                            | Employee number
  enable_multifactor_authn  | boolean =false                       | Enable Multifactor Authentication
  failed_attempts           | integer =0                           | Failed login attempts
  first_name                | string 50                            | First name
  gender                    | string 40                            | Gender
  home_phone                | string 40                            | Home phone
  identity_type             | string 40                            | Identity type
  internal_integration_user | boolean =false                       | Internal Integration User
  introduction              | string 40                            | Prefix
  last_login                | date                                 | Last login
  last_login_time           | time                                 | Last login time
  last_name                 | string 50                            | Last name
  ldap_server               | string 40                            | LDAP server
  location                  | reference cmn_location               | Location
  locked_out                | boolean =false                       | Locked out
  manager                   | reference sys_user                   | Manager
  middle_name               | string 50                            | Middle name
  mobile_phone              | string 40                            | Mobile phone
  name                      | string 151                           | Name
  notification              | integer =2                           | Notification
  password_needs_reset      | boolean =false                       | Password needs reset
  phone                     | string 40                            | Business phone
  preferred_language        | string 3                             | Language
  roles                     | string 40                            | Roles
  schedule                  | reference cmn_schedule               | Schedule
  source                    | string 255                           | Source
  state                     | string 40                            | State / Province
  street                    | string 255                           | Street
  sys_domain                | string 40 =global                    | Domain
  sys_domain_path           | string 255 =/                        | Domain Path
  time_format               | string 40                            | Time format
  time_zone                 | string 40                            | Time zone
  title                     | string 60                            | Title
  user_name                 | string 40                            | User ID
  user_password             | password                             | Password
  vip                       | boolean =false                       | VIP
  web_service_access_only   | boolean =false                       | Web service access only
  zip                       | string 40                            | Zip / Postal code
sys_user_group | | Group | | name
  active                    | boolean =true                        | Active
  default_assignee          | reference sys_user                   | Default assignee
  description               | string 1000                          | Description
  email                     | string 100                           | Group email
  exclude_manager           | boolean =false                       | Exclude manager
  include_members           | boolean =false                       | Include members
  manager                   | reference sys_user                   | Manager
  name                      | string 80                            | Name
  parent                    | reference sys_user_group             | Parent
  roles                     | string 40                            | Roles
  source                    | string 255                           | Source
  type                      | string 1024                          | Type
sys_user_grmember | | Group Member
  group                     | reference sys_user_group             | Group
  scrum_member              | boolean =false                       | Scrum member
  user                      | reference sys_user                   | User
sys_user_role | sys_metadata | Role | | name
  assignable_by             | reference sys_user_role              | Assignable by
  description               | string 4000                          | Description
  elevated_privilege        | boolean =false                       | Elevated privilege
  grantable                 | boolean =true                        | Grantable
  name                      | string 100                           | Name
  suffix                    | string 100                           | Suffix
sys_user_role_contains | sys_metadata | Contained Role
  contains                  | reference sys_user_role              | Contains
  role                      | reference sys_user_role              | Role
sys_user_has_role | | User Role
  granted_by                | reference sys_user_group             | Granted by
  included_in_role          | reference sys_user_role              | Included in role
  inherited                 | boolean =false                       | Inherited
  role                      | reference sys_user_role              | Role
  state                     | string 40 =active                    | State
  user                      | reference sys_user                   | User
sys_group_has_role | | Group Role
  group                     | reference sys_user_group             | Group
  inherits                  | boolean =true                        | Inherits
  role                      | reference sys_user_role              | Role
sys_user_certificate | | User Certificate
  certificate               | string 4000                          | Certificate
  user                      | reference sys_user                   | User
"""

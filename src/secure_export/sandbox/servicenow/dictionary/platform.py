"""The platform's own tables: the dictionary itself, choices, properties, rules, journals, attachments, imports."""

PLATFORM = """
sys_metadata | | Application File
  sys_name                  | string 255                           | Display name
  sys_policy                | string 40                            | Protection policy
  sys_update_name           | string 250                           | Update name
sys_db_object | sys_metadata | Table | | label
  access                    | string 40 =public                    | Accessible from
  create_access             | boolean =true                        | Can create
  is_extendable             | boolean =true                        | Extensible
  label                     | string 80                            | Label
  name                      | string 80                            | Name
  number_ref                | string 40                            | Auto number
  read_access               | boolean =true                        | Can read
  super_class               | reference sys_db_object              | Extends table
  update_access             | boolean =true                        | Can update
  ws_access                 | boolean =true                        | Allow access to this table via web services
sys_dictionary | sys_metadata | Dictionary Entry | | column_label
  active                    | boolean =true                        | Active
  array                     | boolean =false                       | Array
  attributes                | string 1000                          | Attributes
  choice                    | integer                              | Choice
  column_label              | string 80                            | Column label
  default_value             | string 512                           | Default value
  display                   | boolean =false                       | Display
  element                   | string 80                            | Column name
  internal_type             | string 40                            | Type
  mandatory                 | boolean =false                       | Mandatory
  max_length                | integer                              | Max length
  name                      | string 80                            | Table
  read_only                 | boolean =false                       | Read only
  reference                 | string 80                            | Reference
  unique                    | boolean =false                       | Unique
  virtual                   | boolean =false                       | Calculated
sys_choice | sys_metadata | Choice | | label
  dependent_value           | string 40                            | Dependent value
  element                   | string 80                            | Element
  hint                      | string 255                           | Hint
  inactive                  | boolean =false                       | Inactive
  label                     | string 200                           | Label
  language                  | string 3 =en                         | Language
  name                      | string 80                            | Table
  sequence                  | integer                              | Sequence
  value                     | string 40                            | Value
sys_properties | sys_metadata | System Property | | name
  choices                   | string 4000                          | Choices
  description               | string 512                           | Description
  is_private                | boolean =false                       | Private
  name                      | string 100                           | Name
  type                      | string 40 =string                    | Type
  value                     | string 4000                          | Value
sys_script | sys_metadata | Business Rule | | name
  abort_action              | boolean =false                       | Abort action
  action_delete             | boolean =false                       | Delete
  action_insert             | boolean =false                       | Insert
  action_query              | boolean =false                       | Query
  action_update             | boolean =false                       | Update
  active                    | boolean =true                        | Active
  add_message               | boolean =false                       | Add message
  advanced                  | boolean =false                       | Advanced
  collection                | string 80                            | Table
  condition                 | string 254                           | Condition
  description               | string 4000                          | Description
  filter_condition          | string 4000                          | Filter Conditions
  message                   | string 4000                          | Message
  name                      | string 40                            | Name
  order                     | integer =100                         | Order
  script                    | string 8000                          | Script
  when                      | string 40 =before                    | When
sys_security_acl | sys_metadata | Access Control | | name
  active                    | boolean =true                        | Active
  condition                 | string 4000                          | Condition
  description               | string 1000                          | Description
  name                      | string 255                           | Name
  operation                 | string 40                            | Operation
  type                      | string 40 =record                    | Type
sys_security_acl_role | sys_metadata | Access Role
  sys_security_acl          | reference sys_security_acl           | Access Control
  sys_user_role             | reference sys_user_role              | Role
sys_data_policy2 | sys_metadata | Data Policy | | short_description
  active                    | boolean =true                        | Active
  conditions                | string 4000                          | Conditions
  enforce_ui                | boolean =true                        | Use as UI Policy on client
  inherit                   | boolean =false                       | Inherit
  model_table               | string 80                            | Table
  short_description         | string 80                            | Short description
sys_data_policy_rule | sys_metadata | Data Policy Rule
  field                     | string 80                            | Field name
  mandatory                 | string 40 =true                      | Mandatory
  sys_data_policy           | reference sys_data_policy2           | Data policy
sys_rate_limit_rules | sys_metadata | Rate Limit Rule | | name
  active                    | boolean =true                        | Active
  name                      | string 100                           | Name
  rate_limit                | integer                              | Request limit per hour
  resource                  | string 200                           | REST resource
  role                      | reference sys_user_role              | Role
  type                      | string 40                            | Type
  user                      | reference sys_user                   | User
sys_plugins | sys_metadata | Plugin | | name
  active                    | string 40 =active                    | Status
  name                      | string 100                           | Name
  source                    | string 100                           | ID
  version                   | string 40                            | Version
sys_number | sys_metadata | Number
  category                  | reference sys_db_object              | Table
  maximum_digits            | integer =7                           | Number of digits
  number                    | integer =10000                       | Number
  prefix                    | string 40                            | Prefix
sys_template | sys_metadata | Template | | name
  active                    | boolean =true                        | Active
  name                      | string 100                           | Name
  table                     | string 80                            | Table
  template                  | string 8000                          | Template
sys_journal_field | | Journal Entry
  element                   | string 80                            | Element
  element_id                | string 32                            | Element ID
  name                      | string 80                            | Name
  value                     | string 4000                          | Value
sys_audit | | Audit
  documentkey               | string 32                            | Document key
  fieldname                 | string 80                            | Field name
  newvalue                  | string 4000                          | New value
  oldvalue                  | string 4000                          | Old value
  reason                    | string 40                            | Reason
  tablename                 | string 80                            | Table name
  user                      | string 40                            | User
syslog | | Log Entry
  level                     | integer choice                       | Level
  message                   | string 4000                          | Message
  source                    | string 100                           | Source
sys_attachment | | Attachment | | file_name
  average_image_color       | string 40                            | Average image color
  chunk_size_bytes          | integer                              | Chunk size bytes
  compressed                | boolean =true                        | Compressed
  content_type              | string 100                           | Content type
  encryption_context        | string 32                            | Encryption context
  file_name                 | string 100                           | File name
  hash                      | string 64                            | SHA256 Checksum
  image_height              | string 40                            | Image height
  image_width               | string 40                            | Image width
  size_bytes                | integer                              | Size bytes
  size_compressed           | integer                              | Size compressed
  state                     | string 40 =available                 | State
  sys_tags                  | string 40                            | Tags
  table_name                | string 80                            | Table name
  table_sys_id              | string 32                            | Table sys ID
sys_import_set | | Import Set | | number
  mode                      | string 40                            | Mode
  number                    | string 40                            | Number
  state                     | string 40 =loading                   | State
  table_name                | string 80                            | Table name
sys_import_set_row | | Import Set Row
  sys_import_row            | integer                              | Row
  sys_import_set            | reference sys_import_set             | Set
  sys_import_state          | string 40 =pending                   | State
  sys_import_state_comment  | string 4000                          | Comment
  sys_row_error             | string 40                            | Error
  sys_target_sys_id         | string 32                            | Target record
  sys_target_table          | string 80                            | Target table
  sys_transform_map         | reference sys_transform_map          | Transform Map
  template_import_log       | string 4000                          | Template import log
sys_transform_map | sys_metadata | Table Transform Map | | name
  active                    | boolean =true                        | Active
  copy_empty_fields         | boolean =false                       | Copy empty fields
  name                      | string 100                           | Name
  order                     | integer =100                         | Order
  run_business_rules        | boolean =true                        | Run business rules
  source_table              | string 80                            | Source table
  target_table              | string 80                            | Target table
sys_transform_entry | sys_metadata | Field Map
  coalesce                  | boolean =false                       | Coalesce
  map                       | reference sys_transform_map          | Map
  source_field              | string 80                            | Source field
  target_field              | string 80                            | Target field
"""

# Tables that others point into, or that clients look up by name; nothing happens in them here.
OTHER_TABLES = """
ast_contract | | Contract | | number
  number                    | string 40                            | Number
alm_asset | | Asset | | display_name
  asset_tag                 | string 40                            | Asset tag
  ci                        | reference cmdb_ci                    | Configuration Item
  display_name              | string 255                           | Display name
  install_status            | integer                              | State
  serial_number             | string 100                           | Serial number
alm_hardware | alm_asset | Hardware
bsm_chart | | BSM Map | | name
  name                      | string 100                           | Name
chg_model | sys_metadata | Change Model | | name
  active                    | boolean =true                        | Active
  description               | string 1000                          | Description
  name                      | string 100                           | Name
std_change_record_producer | sys_metadata | Standard Change Template | | name
  active                    | boolean =true                        | Active
  name                      | string 100                           | Name
  template                  | reference sys_template               | Template
std_change_producer_version | | Standard Change Template Version | | name
  name                      | string 100                           | Name
  std_change_producer       | reference std_change_record_producer | Standard Change Template
  version                   | integer =1                           | Version
sc_cat_item | sys_metadata | Catalog Item | | name
  active                    | boolean =true                        | Active
  name                      | string 100                           | Name
  short_description         | string 200                           | Short description
sc_cat_item_delivery_plan | | Execution Plan | | name
  name                      | string 100                           | Name
sc_cat_item_delivery_task | | Execution Plan Task | | name
  name                      | string 100                           | Name
kb_knowledge | | Knowledge | KB | number
  number                    | string 40                            | Number
  short_description         | string 160                           | Short description
  text                      | string 8000                          | Article body
ecc_queue | | Queue
  agent                     | string 100                           | Agent
  name                      | string 255                           | Name
  queue                     | string 40                            | Queue
  topic                     | string 100                           | Topic
"""

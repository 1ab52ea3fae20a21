"""Event Management: servicenow-facts section 2."""

EVENTS = """
em_event | | Event
  additional_info           | string 4000                          | Additional information
  alert                     | reference em_alert                   | Alert
  bucket                    | integer                              | Bucket
  ci_identifier             | string 4000                          | CI identifier
  ci_type                   | string 100                           | CI type
  cmdb_ci                   | reference cmdb_ci                    | Configuration item
  description               | string 4000                          | Description
  error_msg                 | string 4000                          | Error message
  event_class               | string 100                           | Source instance
  event_rule                | string 32                            | Event rule
  message_key               | string 1024                          | Message key
  metric_name               | string 100                           | Metric Name
  node                      | string 100                           | Node
  processed                 | time                                 | Processed at
  processing_notes          | string 4000                          | Processing notes
  resolution_state          | string 40                            | Resolution state
  resource                  | string 100                           | Resource
  severity                  | integer                              | Severity
  source                    | string 100                           | Source
  state                     | string 40 =Ready                     | State
  time_of_event             | time                                 | Time of event
  type                      | string 100                           | Type
em_alert | | Alert | Alert | number
  acknowledged              | boolean =false                       | Acknowledged
  additional_info           | string 4000                          | Additional information
  assigned_to               | reference sys_user                   | Assigned to
  assignment_group          | reference sys_user_group             | Assignment group
  ci_type                   | string 100                           | CI type
  classification            | string 40 =0                         | Classification
  close_time                | time                                 | Closed
  cmdb_ci                   | reference cmdb_ci                    | Configuration item
  correlation_id            | string 100                           | Correlation ID
  description               | string 4000                          | Description
  event_class               | string 100                           | Source instance
  event_count               | integer =0                           | Event count
  flap_count                | integer =0                           | Flap count
  group_source              | integer                              | Group
  incident                  | reference task                       | Task
  initial_event_time        | time                                 | Initial event generation time
  initial_remote_time       | time                                 | Initial remote time
  is_group_alert            | boolean =false                       | Is group alert
  knowledge_article         | reference kb_knowledge               | Knowledge article
  last_event_time           | time                                 | Last event generation time
  last_remote_time          | time                                 | Last remote time
  maintenance               | boolean =false                       | Maintenance
  message_key               | string 1024                          | Message key
  metric_name               | string 100                           | Metric Name
  node                      | string 100                           | Node
  number                    | string 40                            | Number
  overall_event_count       | integer =0                           | Overall event count
  parent                    | reference em_alert                   | Parent
  priority                  | decimal                              | Priority
  remote_task_id            | string 40                            | Remote task
  reopen_count              | integer =0                           | Reopen count
  resource                  | string 100                           | Resource
  severity                  | integer choice                       | Severity
  source                    | string 100                           | Source
  state                     | string 40 choice =Open               | State
  sys_domain                | string 40 =global                    | Domain
  type                      | string 100                           | Type
  work_notes                | journal                              | Work notes
sn_em_connector_event_data | | Connector Event Data
  alert                     | reference em_alert                   | Alert
  external_id               | string 255                           | External ID
  source                    | string 100                           | Source
  state                     | string 40                            | State
"""

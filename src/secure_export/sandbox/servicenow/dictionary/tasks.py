"""Task tables: incidents, problems, changes and their relatives.

Lengths of ``task`` columns: servicenow-facts 3.3; defaults: 3.3; labels that data policies name: section 5.
"""

TASKS = """
task | | Task | TASK | number
  active                    | boolean =true                        | Active
  activity_due              | time                                 | Activity due
  additional_assignee_list  | list sys_user                        | Additional assignee list
  approval                  | string 40 choice =not requested      | Approval
  approval_history          | journal                              | Approval history
  approval_set              | time                                 | Approval set
  assigned_to               | reference sys_user                   | Assigned to
  assignment_group          | reference sys_user_group             | Assignment group
  business_duration         | duration                             | Business duration
  business_service          | reference cmdb_ci_service            | Service
  calendar_duration         | duration                             | Duration
  close_notes               | string 4000                          | Close notes
  closed_at                 | time                                 | Closed
  closed_by                 | reference sys_user                   | Closed by
  cmdb_ci                   | reference cmdb_ci                    | Configuration item
  comments                  | journal                              | Additional comments
  comments_and_work_notes   | journal                              | Comments and Work notes
  company                   | reference core_company               | Company
  contact_type              | string 40 choice                     | Contact type
  contract                  | reference ast_contract               | Contract
  correlation_display       | string 100                           | Correlation display
  correlation_id            | string 100                           | Correlation ID
  delivery_plan             | reference sc_cat_item_delivery_plan  | Delivery plan
  delivery_task             | reference sc_cat_item_delivery_task  | Delivery task
  description               | string 4000                          | Description
  due_date                  | time                                 | Due date
  escalation                | integer choice =0                    | Escalation
  expected_start            | time                                 | Expected start
  follow_up                 | time                                 | Follow up
  group_list                | list sys_user_group                  | Group list
  impact                    | integer choice =3                    | Impact
  knowledge                 | boolean =false                       | Knowledge
  location                  | reference cmn_location               | Location
  made_sla                  | boolean =true                        | Made SLA
  number                    | string 40                            | Number
  opened_at                 | time                                 | Opened
  opened_by                 | reference sys_user                   | Opened by
  order                     | integer                              | Order
  parent                    | reference task                       | Parent
  priority                  | integer choice =4                    | Priority
  reassignment_count        | integer =0                           | Reassignment count
  route_reason              | integer                              | Transfer reason
  service_offering          | reference service_offering           | Service offering
  short_description         | string 160                           | Short description
  sla_due                   | time                                 | SLA due
  state                     | integer choice =1                    | State
  sys_domain                | string 40 =global                    | Domain
  sys_domain_path           | string 255 =/                        | Domain Path
  task_effective_number     | string 40                            | Effective number
  time_worked               | duration                             | Time worked
  universal_request         | reference task                       | Universal Request
  upon_approval             | string 40 =proceed                   | Upon approval
  upon_reject               | string 40 =cancel                    | Upon reject
  urgency                   | integer choice =3                    | Urgency
  user_input                | string 4000                          | User input
  watch_list                | list sys_user                        | Watch list
  work_end                  | time                                 | Actual end
  work_notes                | journal                              | Work notes
  work_notes_list           | list sys_user                        | Work notes list
  work_start                | time                                 | Actual start
incident | task | Incident | INC
  business_impact           | string 4000                          | Business impact
  business_stc              | integer                              | Business resolve time
  calendar_stc              | integer                              | Resolve time
  caller_id                 | reference sys_user                   | Caller
  category                  | string 40 choice =inquiry            | Category
  cause                     | string 4000                          | Probable cause
  caused_by                 | reference change_request             | Caused by Change
  child_incidents           | integer =0                           | Child Incidents
  close_code                | string 40 choice                     | Resolution code
  close_notes               | string 4000                          | Resolution notes
  hold_reason               | integer choice                       | On hold reason
  incident_state            | integer choice =1                    | Incident state
  notify                    | integer choice =1                    | Notify
  origin_id                 | string 40                            | Origin
  origin_table              | string 80                            | Origin table
  parent_incident           | reference incident                   | Parent Incident
  priority                  | integer choice ro =5                 | Priority
  problem_id                | reference problem                    | Problem
  reopen_count              | integer ro =0                        | Reopen count
  reopened_by               | reference sys_user                   | Last reopened by
  reopened_time             | time                                 | Last reopened at
  resolved_at               | time                                 | Resolved
  resolved_by               | reference sys_user                   | Resolved by
  rfc                       | reference change_request             | Change Request
  severity                  | integer choice =3                    | Severity
  subcategory               | string 40 choice                     | Subcategory
incident_task | task | Incident Task | ITASK
  incident                  | reference incident                   | Incident
problem | task | Problem | PRB
  category                  | string 40 choice                     | Category
  cause_notes               | string 4000                          | Cause notes
  close_code                | string 40 choice                     | Close code
  confirmed_at              | time                                 | Confirmed at
  confirmed_by              | reference sys_user                   | Confirmed by
  duplicate_of              | reference problem                    | Duplicate of
  first_reported_by_task    | reference task                       | First reported by
  fix_at                    | time                                 | Fix at
  fix_by                    | reference sys_user                   | Fix by
  fix_communicated_at       | time                                 | Fix communicated at
  fix_communicated_by       | reference sys_user                   | Fix communicated by
  fix_notes                 | string 4000                          | Fix notes
  known_error               | boolean =false                       | Known error
  major_problem             | boolean =false                       | Major problem
  priority                  | integer choice ro =5                 | Priority
  problem_state             | integer choice =101                  | Problem state
  related_incidents         | integer =0                           | Related Incidents
  reopen_count              | integer =0                           | Reopen count
  reopened_at               | time                                 | Last reopened at
  reopened_by               | reference sys_user                   | Last reopened by
  resolution_code           | string 40 choice                     | Resolution code
  resolved_at               | time                                 | Resolved
  resolved_by               | reference sys_user                   | Resolved by
  review_outcome            | string 40                            | Review outcome
  rfc                       | reference change_request             | Change request
  state                     | integer choice =101                  | State
  subcategory               | string 40 choice                     | Subcategory
  workaround                | string 4000                          | Workaround
  workaround_applied        | boolean =false                       | Workaround applied
problem_task | task | Problem Task | PTASK
  problem                   | reference problem                    | Problem
  problem_task_type         | string 40 =general                   | Problem task type
  state                     | integer choice =151                  | State
change_request | task | Change Request | CHG
  backout_plan              | string 4000                          | Backout plan
  cab_date                  | time                                 | CAB date
  cab_required              | boolean =false                       | CAB required
  category                  | string 40 choice =Other              | Category
  chg_model                 | reference chg_model                  | Model
  close_code                | string 40 choice                     | Close code
  conflict_status           | string 40 =Not Run                   | Conflict status
  end_date                  | time                                 | Planned end date
  implementation_plan       | string 4000                          | Implementation plan
  justification             | string 4000                          | Justification
  on_hold                   | boolean =false                       | On hold
  on_hold_reason            | string 4000                          | On hold reason
  outside_maintenance_schedule | boolean =false                    | Outside maintenance schedule
  phase                     | string 40 choice =requested          | Phase
  phase_state               | string 40 choice =open               | Phase state
  production_system         | boolean =false                       | Production system
  reason                    | string 40                            | Change reason
  requested_by              | reference sys_user                   | Requested by
  requested_by_date         | time                                 | Requested by date
  review_comments           | string 4000                          | Review comments
  review_date               | date                                 | Review date
  review_status             | integer choice                       | Review status
  risk                      | integer choice =3                    | Risk
  risk_impact_analysis      | string 4000                          | Risk and impact analysis
  scope                     | integer choice =3                    | Scope
  start_date                | time                                 | Planned start date
  state                     | integer choice =-5                   | State
  std_change_producer_version | reference std_change_producer_version | Standard Change Template version
  test_plan                 | string 4000                          | Test plan
  type                      | string 40 choice =normal             | Type
  unauthorized              | boolean =false                       | Unauthorized
change_task | task | Change Task | CTASK
  change_request            | reference change_request             | Change request
  change_task_type          | string 40 choice                     | Type
  close_code                | string 40 choice                     | Close code
  on_hold                   | boolean =false                       | On hold
  on_hold_reason            | string 4000                          | On hold reason
  planned_end_date          | time                                 | Planned end date
  planned_start_date        | time                                 | Planned start date
sc_request | task | Request | REQ
  requested_for             | reference sys_user                   | Requested for
  request_state             | string 40 =requested                 | Request state
  stage                     | string 40 =requested                 | Stage
sc_req_item | task | Requested Item | RITM
  cat_item                  | reference sc_cat_item                | Item
  quantity                  | integer =1                           | Quantity
  request                   | reference sc_request                 | Request
  requested_for             | reference sys_user                   | Requested for
sc_task | task | Catalog Task | SCTASK
  request                   | reference sc_request                 | Request
  request_item              | reference sc_req_item                | Request item
task_ci | | CIs Affected
  applied                   | boolean =false                       | Applied
  ci_item                   | reference cmdb_ci                    | Configuration Item
  manual_proposed_change    | boolean =false                       | Manual proposed change
  task                      | reference task                       | Task
task_cmdb_ci_service | | Impacted Services/CIs
  cmdb_ci_service           | reference cmdb_ci_service            | Impacted Service
  manually_added            | boolean =false                       | Manually added
  task                      | reference task                       | Task
sysrule_assignment | sys_metadata | Assignment Rule
  active                    | boolean =true                        | Active
  condition                 | string 4000                          | Condition
  group                     | reference sys_user_group             | Group
  order                     | integer =100                         | Order
  table                     | string 80                            | Table
  user                      | reference sys_user                   | User
"""

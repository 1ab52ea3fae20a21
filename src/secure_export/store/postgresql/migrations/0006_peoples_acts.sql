-- act: what people did with the work item in the tool; act_told: of which of that Azure was told.
ALTER TABLE work_items ADD COLUMN act text;
ALTER TABLE work_items ADD COLUMN act_told text;
CREATE INDEX work_items_by_untold_act ON work_items (seq) WHERE act IS NOT NULL AND act_told IS DISTINCT FROM act;

-- number: what people call the work item in the tool, whatever the case; none while the tool has not told it.
ALTER TABLE work_items ADD COLUMN number TEXT COLLATE NOCASE;
UPDATE work_items SET number = nullif(json_extract(CAST(document AS TEXT), '$.confirmed.number'), '');
CREATE INDEX work_items_by_number ON work_items (number, seq) WHERE number IS NOT NULL;

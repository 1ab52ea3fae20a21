-- number: what people call the work item in the tool; none while the tool has not told it. Work items from before this
-- migration get theirs when they are read back the next time, so that no running process has to wait for all of them.
ALTER TABLE work_items ADD COLUMN number text;
CREATE INDEX work_items_by_number ON work_items (lower(left(number, 100)), seq) WHERE number IS NOT NULL;

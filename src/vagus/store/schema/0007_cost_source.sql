-- How many of a trace's charged calls have a cost that their telemetry reported.
ALTER TABLE traces ADD COLUMN IF NOT EXISTS reported_cost_calls UInt32;

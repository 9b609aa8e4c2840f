-- As many tickets again in the first workspace, each more urgent and older than any that can be claimed, that nobody can: they
-- failed a moment ago, their project's budget is used up, their project is archived, nobody has their repository or their role,
-- or their brief is paused.

CREATE FUNCTION pg_temp.new_id() RETURNS text VOLATILE LANGUAGE sql AS
$$ SELECT 'o' || substr(md5(random()::text || clock_timestamp()::text), 1, 23) $$;

CREATE TEMP TABLE first AS SELECT "id" AS tenant FROM tenants WHERE "slug" = 'tenant-0';

CREATE TEMP TABLE mine AS
SELECT "id", row_number() OVER (ORDER BY "createdAt", "id") - 1 AS number
FROM projects JOIN first ON tenant = "tenantId" WHERE "slug" LIKE 'storefront-%';

INSERT INTO projects ("id", "tenantId", "name", "slug", "monthlySpendCapMicros", "isArchived", "createdAt", "updatedAt")
SELECT pg_temp.new_id(), tenant, 'Shut ' || number, 'shut-' || number, CASE WHEN number % 2 = 0 THEN 1000 END, number % 2 = 1,
    timestamptz '2025-01-01', timestamptz '2025-01-01'
FROM first, generate_series(0, 9) number;

INSERT INTO budget_counters ("id", "tenantId", "kind", "key", "period", "used", "createdAt", "updatedAt")
SELECT pg_temp.new_id(), tenant, 'project_month_cost', projects."id", period, 1000, now(), now()
FROM projects JOIN first ON tenant = "tenantId"
CROSS JOIN (SELECT DISTINCT to_char(now() + days * interval '1 day', 'YYYY-MM') FROM generate_series(-1, 1) days) month (period)
WHERE "monthlySpendCapMicros" IS NOT NULL;

CREATE TEMP TABLE shut AS
SELECT "id", row_number() OVER (ORDER BY "slug") - 1 AS number FROM projects JOIN first ON tenant = "tenantId" WHERE "slug" LIKE 'shut-%';

INSERT INTO tickets ("id", "tenantId", "projectId", "roleSlug", "title", "description", "status", "priority", "targetRepo",
    "nextAttemptAt", "attemptCount", "createdBy", "createdAt", "updatedAt")
SELECT pg_temp.new_id(), tenant,
    CASE WHEN obstacle.number % 5 = 1 THEN shut."id" ELSE mine."id" END,
    CASE WHEN obstacle.number % 5 = 2 THEN 'architect' ELSE 'team-' || (obstacle.number / 500) % 8 END,
    'Obstacle ' || obstacle.number, repeat('What is to be done. ', 30),
    CASE WHEN obstacle.number % 5 = 4 THEN 'blocked' ELSE 'ready' END, 1000,
    CASE WHEN obstacle.number % 5 = 3 THEN 'acme/elsewhere' END,
    CASE WHEN obstacle.number % 5 = 0 THEN now() + interval '1 day' END, CASE WHEN obstacle.number % 5 = 0 THEN 1 ELSE 0 END,
    'system:load', timestamptz '2025-06-01' + obstacle.number * interval '1 second', now()
FROM first, generate_series(1, {tickets}) AS obstacle (number)
JOIN mine ON mine.number = obstacle.number / 5 % 50
JOIN shut ON shut.number = obstacle.number / 5 % 10;

-- What is left for a team of its own: nothing but what stands in the way.
INSERT INTO agent_roles ("id", "tenantId", "slug", "displayName", "category", "systemPromptTemplate", "defaultConcurrency",
    "createdAt", "updatedAt")
SELECT pg_temp.new_id(), tenant, 'unlucky', 'Unlucky', 'execution', 'Nothing can be done.', 32, now(), now() FROM first;

INSERT INTO tickets ("id", "tenantId", "projectId", "roleSlug", "title", "status", "priority", "nextAttemptAt", "attemptCount",
    "createdBy", "createdAt", "updatedAt")
SELECT pg_temp.new_id(), tenant, mine."id", 'unlucky', 'Unlucky ' || obstacle.number, 'ready', 1000, now() + interval '1 day', 1,
    'system:load', now(), now()
FROM first, generate_series(1, {tickets} / 5) AS obstacle (number) JOIN mine ON mine.number = obstacle.number % 50;

-- Nobody searches here.
DELETE FROM search_pending;

-- The tickets that agents claim. The first workspace has {tickets} of them that are ready, over 50 projects and 8 roles, two
-- thirds of them steps of plans; any other a hundredth of that.

CREATE TEMP TABLE size AS
SELECT "id" AS tenant, CASE WHEN "slug" = 'tenant-0' THEN {tickets} ELSE greatest({tickets} / 100, 60) END AS tickets FROM tenants;

CREATE FUNCTION pg_temp.new_id() RETURNS text VOLATILE LANGUAGE sql AS
$$ SELECT 'b' || substr(md5(random()::text || clock_timestamp()::text), 1, 23) $$;

CREATE FUNCTION pg_temp.moment(number bigint) RETURNS timestamptz IMMUTABLE LANGUAGE sql AS
$$ SELECT timestamptz '2026-01-01 00:00:00.125+00' + number * interval '1.003 seconds' $$;

CREATE FUNCTION pg_temp.repository(number bigint) RETURNS text IMMUTABLE LANGUAGE sql AS
$$ SELECT CASE number % 5 WHEN 0 THEN NULL ELSE 'acme/part-' || number % 5 END $$;

INSERT INTO agent_roles ("id", "tenantId", "slug", "displayName", "category", "systemPromptTemplate", "defaultConcurrency",
    "createdAt", "updatedAt")
SELECT pg_temp.new_id(), tenant, 'team-' || number, 'Team ' || number, 'execution', repeat('How this team works. ', 100), 32,
    pg_temp.moment(0), pg_temp.moment(0)
FROM size, generate_series(0, 7) number;

INSERT INTO projects ("id", "tenantId", "name", "slug", "description", "createdAt", "updatedAt")
SELECT pg_temp.new_id(), tenant, 'Storefront ' || number, 'storefront-' || number,
    'Everything that a shopper sees, number ' || number || '.', pg_temp.moment(number), pg_temp.moment(number)
FROM size, generate_series(0, 49) number;

CREATE TEMP TABLE mine AS
SELECT "id", "tenantId" AS tenant, row_number() OVER (PARTITION BY "tenantId" ORDER BY "createdAt", "id") - 1 AS number
FROM projects WHERE "slug" LIKE 'storefront-%';
CREATE INDEX ON mine (tenant, number);

INSERT INTO goals ("id", "tenantId", "projectId", "title", "createdAt", "updatedAt")
SELECT pg_temp.new_id(), tenant, "id", 'Goal of project ' || number, pg_temp.moment(number), pg_temp.moment(number) FROM mine;

CREATE TEMP TABLE brief AS
SELECT pg_temp.new_id() AS "id", pg_temp.new_id() AS chief, pg_temp.new_id() AS plan, size.tenant, mine."id" AS project,
    goals."id" AS goal, brief.number
FROM size CROSS JOIN LATERAL generate_series(1, (size.tickets / 9)::bigint) AS brief (number)
JOIN mine ON mine.tenant = size.tenant AND mine.number = brief.number % 50
JOIN goals ON goals."projectId" = mine."id";

INSERT INTO prds ("id", "tenantId", "projectId", "goalId", "status", "title", "summary", "objectives", "acceptanceCriteria",
    "createdAt", "updatedAt")
SELECT "id", tenant, project, goal, 'approved', 'Brief ' || number, 'What brief ' || number || ' is about, in a sentence.',
    '["The shopper sees the total before paying, taxes and delivery included."]', '["The total is right to the cent."]',
    pg_temp.moment(number), pg_temp.moment(number)
FROM brief;

INSERT INTO tickets ("id", "tenantId", "projectId", "goalId", "prdId", "roleSlug", "title", "status", "createdBy", "createdAt",
    "updatedAt")
SELECT chief, tenant, project, goal, "id", 'chief_of_staff', 'Plan brief ' || number, 'done', 'system:load',
    pg_temp.moment(number), pg_temp.moment(number)
FROM brief;

INSERT INTO execution_plans ("id", "tenantId", "prdId", "projectId", "parentTicketId", "status", "steps", "stepCount",
    "channelSummary", "createdAt", "updatedAt")
SELECT plan, tenant, "id", project, chief, 'active', '[]', 6, 'Six steps.', pg_temp.moment(number), pg_temp.moment(number)
FROM brief;

INSERT INTO tickets ("id", "tenantId", "projectId", "goalId", "prdId", "planId", "stepIndex", "parentTicketId", "roleSlug",
    "title", "description", "status", "targetRepo", "createdBy", "createdAt", "updatedAt")
SELECT pg_temp.new_id(), tenant, project, goal, "id", plan, step - 1, chief, 'team-' || (number + step) % 8,
    'Step ' || step || ' of brief ' || number, repeat('What is to be done. ', 30), 'ready', pg_temp.repository(number + step),
    'system:load', pg_temp.moment(6 * number + step), pg_temp.moment(6 * number + step)
FROM brief, generate_series(1, 6) step;

INSERT INTO tickets ("id", "tenantId", "projectId", "roleSlug", "title", "description", "status", "priority", "targetRepo",
    "createdBy", "createdAt", "updatedAt")
SELECT pg_temp.new_id(), size.tenant, mine."id", 'team-' || (loose.number / 50) % 8, 'Ticket ' || loose.number,
    repeat('What is to be done. ', 30), 'ready', CASE loose.number % 10 WHEN 0 THEN 200 WHEN 1 THEN 50 ELSE 100 END,
    pg_temp.repository(loose.number / 7), 'system:load', pg_temp.moment(1000000 + loose.number),
    pg_temp.moment(1000000 + loose.number)
FROM size CROSS JOIN LATERAL generate_series(1, size.tickets - size.tickets / 9 * 6) AS loose (number)
JOIN mine ON mine.tenant = size.tenant AND mine.number = loose.number % 50;

-- Nobody searches here.
DELETE FROM search_pending;

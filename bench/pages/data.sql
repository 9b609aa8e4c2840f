-- The rows that the pages are measured on. Every workspace has as many as any other, the first one ten times as many.
-- At scale 1 and with 20 workspaces: 100,000 tickets, 200,000 entries of the ledger, 2,900 briefs.

CREATE TEMP TABLE size AS
SELECT "id" AS tenant, CASE WHEN "slug" = 'tenant-0' THEN 10 ELSE 1 END * {scale}::numeric AS units FROM tenants;

CREATE FUNCTION pg_temp.new_id() RETURNS text VOLATILE LANGUAGE sql AS
$$ SELECT 'b' || substr(md5(random()::text || clock_timestamp()::text), 1, 23) $$;

CREATE FUNCTION pg_temp.moment(number bigint) RETURNS timestamptz IMMUTABLE LANGUAGE sql AS
$$ SELECT timestamptz '2026-01-01 00:00:00.125+00' + number * interval '1.003 seconds' $$;

CREATE FUNCTION pg_temp.sentences(number bigint, count bigint) RETURNS jsonb VOLATILE LANGUAGE sql AS
$$ SELECT jsonb_agg('Statement ' || number || '.' || line || ': the shopper sees the total before paying, taxes and delivery included, in the currency of the shop.')
   FROM generate_series(1, count) line $$;

INSERT INTO projects ("id", "tenantId", "name", "slug", "description", "createdAt", "updatedAt")
SELECT pg_temp.new_id(), tenant, 'Storefront ' || number, 'storefront-' || number,
    'Everything that a shopper sees, number ' || number || '.', pg_temp.moment(number), pg_temp.moment(number)
FROM size, generate_series(1, 30) number;

CREATE TEMP TABLE mine AS
SELECT "id", "tenantId" AS tenant, row_number() OVER (PARTITION BY "tenantId" ORDER BY "createdAt", "id") - 1 AS number
FROM projects WHERE "slug" LIKE 'storefront-%';
CREATE INDEX ON mine (tenant, number);

INSERT INTO goals ("id", "tenantId", "projectId", "title", "createdAt", "updatedAt")
SELECT pg_temp.new_id(), tenant, mine."id", 'Goal ' || goal || ' of project ' || number, pg_temp.moment(goal), pg_temp.moment(goal)
FROM mine, generate_series(1, 20) goal;

CREATE TEMP TABLE brief AS
SELECT pg_temp.new_id() AS "id", pg_temp.new_id() AS chief, pg_temp.new_id() AS plan, size.tenant, mine."id" AS project, brief.number
FROM size CROSS JOIN LATERAL generate_series(1, (100 * units)::bigint) AS brief (number)
JOIN mine ON mine.tenant = size.tenant AND mine.number = brief.number % 30;

INSERT INTO prds ("id", "tenantId", "projectId", "status", "title", "summary", "objectives", "acceptanceCriteria",
    "assumptions", "outOfScope", "createdAt", "updatedAt")
SELECT "id", tenant, project, 'approved', 'Brief ' || number, 'What brief ' || number || ' is about, in a sentence.',
    pg_temp.sentences(number, 30), pg_temp.sentences(number, 30), pg_temp.sentences(number, 30), pg_temp.sentences(number, 30),
    pg_temp.moment(number), pg_temp.moment(number)
FROM brief;

INSERT INTO tickets ("id", "tenantId", "projectId", "prdId", "roleSlug", "title", "description", "status", "createdBy",
    "createdAt", "updatedAt")
SELECT chief, tenant, project, "id", 'chief_of_staff', 'Plan brief ' || number, repeat('What is to be planned. ', 20), 'done',
    'system:load', pg_temp.moment(number), pg_temp.moment(number)
FROM brief;

INSERT INTO execution_plans ("id", "tenantId", "prdId", "projectId", "parentTicketId", "status", "steps", "stepCount",
    "channelSummary", "createdAt", "updatedAt")
SELECT plan, tenant, "id", project, chief, 'active', '[]', 6, 'Six steps.', pg_temp.moment(number), pg_temp.moment(number)
FROM brief;

INSERT INTO tickets ("id", "tenantId", "projectId", "prdId", "planId", "stepIndex", "parentTicketId", "roleSlug", "title",
    "description", "status", "createdBy", "createdAt", "updatedAt")
SELECT pg_temp.new_id(), tenant, project, "id", plan, step - 1, chief, 'dev_agent', 'Step ' || step || ' of brief ' || number,
    repeat('What is to be done. ', 30), 'ready', 'system:load', pg_temp.moment(6 * number + step), pg_temp.moment(6 * number + step)
FROM brief, generate_series(1, 6) step;

-- The newest of all, half of them below others.
INSERT INTO tickets ("id", "tenantId", "projectId", "parentTicketId", "roleSlug", "title", "description", "status", "priority",
    "createdBy", "createdAt", "updatedAt")
SELECT pg_temp.new_id(), size.tenant, mine."id", CASE WHEN loose.number % 2 = 0 THEN brief.chief END, 'dev_agent',
    'Ticket ' || loose.number, repeat('What is to be done. ', 30), 'ready', loose.number % 400, 'system:load',
    pg_temp.moment(1000000 + loose.number), pg_temp.moment(1000000 + loose.number)
FROM size CROSS JOIN LATERAL generate_series(1, (2750 * units)::bigint) AS loose (number)
JOIN mine ON mine.tenant = size.tenant AND mine.number = loose.number % 30
JOIN brief ON brief.tenant = size.tenant AND brief.number = 1 + loose.number % (100 * units)::bigint;

-- Their hashes are made up: only `verify-ledger` looks at them.
INSERT INTO audit_logs ("id", "tenantId", "createdAt", "seq", "actor", "actorType", "action", "targetType", "targetId",
    "targetTitle", "projectId", "diff", "prevHash", "hash")
SELECT pg_temp.new_id(), size.tenant, pg_temp.moment(entry.number), head."headSeq" + entry.number, 'system:load', 'system',
    'ticket.created', 'Ticket', ticket."id", 'Ticket ' || entry.number, ticket."projectId",
    '{"before": null, "after": {"status": "ready"}}', md5(entry.number::text), md5((entry.number + 1)::text)
FROM size JOIN tenant_feeds head ON head."tenantId" = size.tenant
CROSS JOIN LATERAL (SELECT "id", "projectId" FROM tickets WHERE "tenantId" = size.tenant LIMIT 1) ticket
CROSS JOIN LATERAL generate_series(1, (6897 * units)::bigint) AS entry (number);

-- The head only moves by one entry at a time otherwise.
ALTER TABLE tenant_feeds DISABLE TRIGGER USER;
UPDATE tenant_feeds SET "headSeq" = (SELECT max("seq") FROM audit_logs WHERE audit_logs."tenantId" = tenant_feeds."tenantId"),
    "headHash" = (SELECT "hash" FROM audit_logs WHERE audit_logs."tenantId" = tenant_feeds."tenantId" ORDER BY "seq" DESC LIMIT 1);
ALTER TABLE tenant_feeds ENABLE TRIGGER USER;

ANALYZE;

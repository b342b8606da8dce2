-- Twin of ../../sqlite: what is changed here is changed there. Ids are text in byte order, times whole microseconds.

-- Every unit of the organisation, of whichever kind: the kind is what its id begins with, so what it hangs on is known to be of
-- the right kind by its id, too.
CREATE TABLE org_units (
    id          TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    parent_id   TEXT COLLATE "C", -- what it belongs to
    target_id   TEXT COLLATE "C", -- whom a purchasing organisation is assigned to
    code        TEXT COLLATE "C",
    name        TEXT,
    description TEXT,
    folded      TEXT, -- what it is looked for by
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    CONSTRAINT org_units_pkey PRIMARY KEY (id),
    CONSTRAINT org_units_parent FOREIGN KEY (parent_id) REFERENCES org_units (id),
    CONSTRAINT org_units_target FOREIGN KEY (target_id) REFERENCES org_units (id),
    CONSTRAINT org_units_kind CHECK (
        kind IN ('cc', 'plant', 'sloc', 'porg', 'pgrp', 'pasg') AND substr(id, 1, length(kind) + 1) = kind || '_'
    ),
    CONSTRAINT org_units_label CHECK (
        (kind = 'pasg') = (code IS NULL) AND (code IS NULL) = (name IS NULL) AND (code IS NULL) = (folded IS NULL)
    ),
    CONSTRAINT org_units_form CHECK (
        (kind IN ('cc', 'porg')) = (parent_id IS NULL) AND (kind = 'pasg') = (target_id IS NOT NULL)
    ),
    CONSTRAINT org_units_place CHECK (
        CASE kind
            WHEN 'plant' THEN substr(parent_id, 1, 3) = 'cc_'
            WHEN 'sloc' THEN substr(parent_id, 1, 6) = 'plant_'
            WHEN 'pgrp' THEN substr(parent_id, 1, 5) = 'porg_'
            WHEN 'pasg' THEN substr(parent_id, 1, 5) = 'porg_'
                AND (substr(target_id, 1, 3) = 'cc_' OR substr(target_id, 1, 6) = 'plant_')
            ELSE parent_id IS NULL
        END
    )
);
CREATE UNIQUE INDEX org_units_code ON org_units (kind, code) WHERE kind <> 'pgrp';
CREATE UNIQUE INDEX org_units_group_code ON org_units (parent_id, code) WHERE kind = 'pgrp';
CREATE UNIQUE INDEX org_units_assignment ON org_units (parent_id, target_id); -- what has no target is never the same
CREATE INDEX org_units_of_parent ON org_units (parent_id, id);
CREATE INDEX org_units_of_target ON org_units (target_id, id);

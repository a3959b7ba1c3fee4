"""The bodies of the guard's functions on PostgreSQL; names in braces are filled in by ``postgresql``.

Every comparison of texts is byte for byte: a column may have a collation in which different keys are equal.

A function of this schema is called with arguments of exactly its types: somebody who may CREATE there can make another
one of its name that fits other types better, and it would run as the guard's owner. A record has the same types
whichever statement filled it: the server remembers them for the session, and refuses others.
"""

from __future__ import annotations

from strongroom.store.guard.names import ARCHIVE, REFUSE

OWN_ROW = """\
CASE WHEN h.xmin = pg_current_xact_id()::xid THEN true
     WHEN age(pg_current_xact_id()::xid) - age(h.xmin) BETWEEN 1 AND 1000000 THEN
          pg_xact_status((pg_current_xact_id()::text::bigint + age(pg_current_xact_id()::xid)
                          - age(h.xmin))::text::xid8) = 'in progress'
     ELSE false END"""
"""Whether this very transaction wrote a row of the history: its own id, or a later one (a savepoint's) that is in
progress. What is seen here and in progress is no other transaction's."""

KEEP = """
DECLARE
    form_ text := CASE WHEN left(key, {sealed_prefix_length}) = '{sealed_prefix}' THEN 'sealed' ELSE 'foreign' END;
BEGIN
    -- Whoever put just this text into the history, in this very transaction, may change the row: rewrap does. Compared
    -- are the transactions themselves: one that began later and is committed by now is another one.
    IF EXISTS (SELECT FROM {history} h
                WHERE h.credential_id = wallet AND h.text COLLATE "C" = key COLLATE "C"
                  AND {own_row}) THEN
        RETURN;
    END IF;
{refuse_or_keep}
END """

_KEEP = """\
    IF EXISTS (SELECT FROM {history} h
                WHERE h.credential_id = wallet AND h.text COLLATE "C" = key COLLATE "C" AND h.project_id = project
                  AND h.address COLLATE "C" = address_ COLLATE "C"
                  AND h.public_key COLLATE "C" = public_ COLLATE "C") THEN
        RETURN;
    END IF;
    INSERT INTO {history}
        (id, project_id, credential_id, network, label, address, public_key, vault_id, text, form, reason, created_at)
    VALUES (gen_random_uuid(), project, wallet, left(chain, 64), left(label_, 64), address_, public_, vault, key,
            form_, why, clock_timestamp());
    IF NOT FOUND THEN
        RAISE EXCEPTION 'strongroom guard: strongroom_vault_history did not take the key of wallet %', wallet
            USING ERRCODE = 'restrict_violation', HINT = 'Remove the trigger or rule that keeps rows out of it.';
    END IF;"""

_REFUSE = """\
    RAISE EXCEPTION 'strongroom guard: the key of wallet % would be lost (%): refused', wallet, why
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'strongroom_guard',
              HINT = 'Nothing was changed. Let strongroom replace the wallet (strongroom wallet replace ID). To let '
                     'such writes pass, and keep what they overwrite: strongroom guard --install --mode archive';"""

REFUSE_OR_KEEP = {ARCHIVE: _KEEP, REFUSE: _REFUSE}

RECORD = """
DECLARE
    wallet record;
BEGIN
    -- Repair never puts a plaintext key into the history: in its place it keeps, in the same transaction and before the
    -- row, what it sealed the key into. Just that text may take the key's place, and under the same credential.
    IF TG_OP = 'UPDATE' AND EXISTS (SELECT FROM {history} h
                                     WHERE h.credential_id = OLD.credential_id
                                       AND h.credential_id = NEW.credential_id
                                       AND h.text COLLATE "C" = {key_of_new} AND h.reason = 'repair'
                                       AND h.form = 'sealed' AND {own_row}) THEN
        RETURN NULL;
    END IF;
    SELECT c.project_id::uuid, ({network})::text AS chain, ({label})::text AS label, ({address})::text AS address,
           COALESCE(c.public_key::text, '')::text AS public_key, c.key_vault_id::text AS vault
      INTO wallet
      FROM {credentials} c
      LEFT JOIN {slot} s ON s.credential_id = c.id AND s.project_id = c.project_id
     WHERE c.id = OLD.credential_id
     LIMIT 1;
    IF NOT FOUND THEN
        -- A cascade: the credential's own trigger kept the text. Or an orphan: what the history or the slot says.
        SELECT COALESCE(h.project_id, s.project_id, {record_project}{nobody})::uuid AS project_id,
               COALESCE(h.network, s.network, '')::text AS chain, COALESCE(h.label, s.label, 'default')::text AS label,
               COALESCE(h.address, '')::text AS address, COALESCE(h.public_key, '')::text AS public_key,
               h.vault_id::text AS vault
          INTO wallet
          FROM (SELECT) one
          LEFT JOIN {slot} s ON s.credential_id = OLD.credential_id
          LEFT JOIN {history} h ON h.credential_id = OLD.credential_id
         ORDER BY h.text COLLATE "C" = {key_of_old} DESC NULLS LAST, h.created_at DESC
         LIMIT 1;
    END IF;
    PERFORM {schema}.strongroom_guard_keep(OLD.credential_id::uuid, wallet.project_id::uuid, wallet.chain::text,
        wallet.label::text, wallet.address::text, wallet.public_key::text,
        COALESCE(OLD.vault_id::text, wallet.vault, '')::text, OLD.encrypted_private_key::text,
        ('guard-' || lower(TG_OP))::text);
    RETURN NULL;
END """

CREDENTIAL = """
DECLARE
    s record;
    kept record;
BEGIN
    SELECT x.network, x.label INTO s
      FROM {slot} x WHERE x.credential_id = OLD.id AND x.project_id = OLD.project_id LIMIT 1;
    FOR kept IN
        SELECT {key_of_v} AS key, v.vault_id::text AS vault
          FROM {vault} v WHERE v.credential_id IN (OLD.id, NEW.id) AND {guarded}
           FOR UPDATE  -- what a concurrent writer puts there is waited for, and kept
    LOOP
        PERFORM {schema}.strongroom_guard_keep(OLD.id::uuid, OLD.project_id::uuid, ({network_of_old})::text,
            ({label_of_old})::text, ({address_of_old})::text, COALESCE(OLD.public_key::text, '')::text,
            COALESCE(kept.vault, OLD.key_vault_id::text, '')::text, kept.key::text, ('guard-' || lower(TG_OP))::text);
    END LOOP;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END """

TRUNCATE = """
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        -- TRUNCATE also removes rows that this transaction's snapshot does not show.
        RAISE EXCEPTION 'strongroom guard: TRUNCATE of wallet tables is refused at this isolation level'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'strongroom_guard', HINT = 'Use READ COMMITTED.';
    END IF;
{truncate_or_keep}
    RETURN NULL;
END """

_TRUNCATE_ARCHIVE = """\
    INSERT INTO {history}
        (id, project_id, credential_id, network, label, address, public_key, vault_id, text, form, reason, created_at)
    SELECT gen_random_uuid(),
           COALESCE(c.project_id, s.project_id, {vault_project}{nobody}), v.credential_id,
           {network}, left({label}, 64), {address}, COALESCE(c.public_key::text, ''),
           COALESCE(v.vault_id::text, c.key_vault_id::text, ''), {key_of_v},
           CASE WHEN left({key_of_v}, {sealed_prefix_length}) = '{sealed_prefix}' THEN 'sealed' ELSE 'foreign' END,
           'guard-truncate', clock_timestamp()
      FROM {vault} v
      LEFT JOIN {credentials} c ON c.id = v.credential_id
      LEFT JOIN {slot} s ON s.credential_id = v.credential_id AND (c.id IS NULL OR s.project_id = c.project_id)
     WHERE {guarded}
       AND NOT EXISTS (SELECT FROM {history} h
                        WHERE h.credential_id = v.credential_id AND h.text COLLATE "C" = {key_of_v}
                          AND (c.id IS NULL OR (h.project_id = c.project_id AND h.address COLLATE "C" = {address}
                               AND h.public_key COLLATE "C" = COALESCE(c.public_key::text, ''))));
    IF EXISTS (SELECT FROM {vault} v
                WHERE {guarded}
                  AND NOT EXISTS (SELECT FROM {history} h
                                   WHERE h.credential_id = v.credential_id AND h.text COLLATE "C" = {key_of_v})) THEN
        RAISE EXCEPTION 'strongroom guard: strongroom_vault_history did not take every key'
            USING ERRCODE = 'restrict_violation', HINT = 'Remove the trigger or rule that keeps rows out of it.';
    END IF;"""

_TRUNCATE_REFUSE = """\
    IF EXISTS (SELECT FROM {vault} v WHERE {guarded}) THEN
        RAISE EXCEPTION 'strongroom guard: keys would be lost (guard-truncate): refused'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'strongroom_guard',
                  HINT = 'Nothing was changed. To let it pass and keep what it removes: '
                         'strongroom guard --install --mode archive';
    END IF;"""

TRUNCATE_MODES = {ARCHIVE: _TRUNCATE_ARCHIVE, REFUSE: _TRUNCATE_REFUSE}

use diesel::prelude::*;
use diesel::upsert::excluded;
use tenantry_ports::{FloorRepository, LogFloor, LogHead, LogSpan, StoreError, StoreResult};

use crate::convert::{micros, sha256, time};
use crate::db::Db;
use crate::error::Answer;
use crate::schema::{events, log_floor, log_head};
use crate::transaction::Transaction;

/// The only row of `log_floor`, and of `log_head`.
const ONE: i64 = 1;

/// The row of `log_floor`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = log_floor)]
struct FloorRow {
    id: i64,
    sequence: i64,
    hash: Vec<u8>,
    signed_at: i64,
    mac: Vec<u8>,
}

impl FloorRow {
    fn new(floor: &LogFloor) -> Self {
        Self {
            id: ONE,
            sequence: floor.head.sequence,
            hash: floor.head.hash.to_vec(),
            signed_at: micros(floor.at),
            mac: floor.mac.to_vec(),
        }
    }

    fn floor(self) -> StoreResult<LogFloor> {
        const WHAT: &str = "floor of the log";
        Ok(LogFloor {
            head: LogHead { sequence: self.sequence, hash: sha256(WHAT, &self.hash)? },
            at: time(WHAT, self.signed_at)?,
            mac: sha256(WHAT, &self.mac)?,
        })
    }
}

impl FloorRepository for Transaction<'_> {
    fn get(&mut self) -> StoreResult<Option<LogFloor>> {
        self.read(|db| {
            let row = log_floor::table.find(ONE).select(FloorRow::as_select()).first(db).optional()?;
            Ok(row.map(FloorRow::floor).transpose()?)
        })
    }

    fn span(&mut self) -> StoreResult<LogSpan> {
        self.read(|db| {
            let query = log_head::table
                .left_join(log_floor::table.on(log_floor::id.eq(log_head::id)))
                .filter(log_head::id.eq(ONE))
                .select((log_head::sequence, log_head::hash, log_floor::sequence.nullable()));
            let (sequence, hash, floor): (i64, Vec<u8>, Option<i64>) = query.get_result(db)?;
            let head = LogHead { sequence, hash: sha256("log head", &hash)? };
            Ok(LogSpan { floor: floor.unwrap_or_default(), head })
        })
    }

    fn raise(&mut self, floor: &LogFloor) -> StoreResult<usize> {
        self.write(|db| {
            let LogHead { sequence, hash } = floor.head;
            let before = place(db)?;
            if before.as_ref().is_some_and(|(before, own)| *before == sequence && own[..] == hash) {
                put(db, floor)?;
                return Ok(0);
            }
            let is_entry = events::table
                .find(sequence)
                .filter(events::hash.eq(&hash[..]))
                .select(events::sequence)
                .first::<i64>(db)
                .optional()?
                .is_some();
            let last: i64 = log_head::table.find(ONE).select(log_head::sequence).first(db)?;
            let before = before.map_or(LogHead::EMPTY.sequence, |(before, _)| before);
            if !is_entry || sequence >= last || sequence <= before {
                return Err(StoreError::Stale.into());
            }
            // From where the last one stopped: what was removed there is not gone over again and again.
            let below =
                events::table.filter(events::sequence.gt(before)).filter(events::sequence.le(sequence));
            let removed = diesel::delete(below).execute(db)?;
            put(db, floor)?;
            Ok(removed)
        })
    }

    fn begin(&mut self, floor: &LogFloor) -> StoreResult<()> {
        self.write(|db| {
            let LogHead { sequence, hash } = floor.head;
            let head = log_head::table.find(ONE).select((log_head::sequence, log_head::hash));
            let head: (i64, Vec<u8>) = head.first(db)?;
            if let Some(before) = place(db)? {
                let is_same = before == (sequence, hash.to_vec()) && head == before;
                return if is_same { Ok(()) } else { Err(StoreError::Stale.into()) };
            }
            if head != (LogHead::EMPTY.sequence, LogHead::EMPTY.hash.to_vec()) {
                return Err(StoreError::Stale.into());
            }
            let moved = (log_head::sequence.eq(sequence), log_head::hash.eq(hash.to_vec()));
            diesel::update(log_head::table.find(ONE)).set(moved).execute(db)?;
            put(db, floor)
        })
    }
}

/// Where the floor is, and the hash of what was there.
fn place(db: &mut Db) -> Answer<Option<(i64, Vec<u8>)>> {
    let query = log_floor::table.find(ONE).select((log_floor::sequence, log_floor::hash));
    Ok(query.first(db).optional()?)
}

fn put(db: &mut Db, floor: &LogFloor) -> Answer<()> {
    let upsert = diesel::insert_into(log_floor::table)
        .values(FloorRow::new(floor))
        .on_conflict(log_floor::id)
        .do_update()
        .set((
            log_floor::sequence.eq(excluded(log_floor::sequence)),
            log_floor::hash.eq(excluded(log_floor::hash)),
            log_floor::signed_at.eq(excluded(log_floor::signed_at)),
            log_floor::mac.eq(excluded(log_floor::mac)),
        ));
    match db {
        Db::Sqlite(sqlite) => upsert.execute(sqlite)?,
        Db::Postgres(postgres) => upsert.execute(postgres)?,
    };
    Ok(())
}

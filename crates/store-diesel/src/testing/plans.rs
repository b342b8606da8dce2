//! How the databases go about answering.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::db::Db;
use crate::error::Answer;

#[derive(QueryableByName)]
struct Looked {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// How many rows of its tables this transaction on PostgreSQL has looked at so far.
pub(crate) fn looked_at(db: &mut Db) -> Answer<i64> {
    let Db::Postgres(postgres) = db else { panic!("no PostgreSQL") };
    let looked = "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint AS rows \
                  FROM pg_stat_xact_user_tables";
    Ok(diesel::sql_query(looked).get_result::<Looked>(postgres)?.rows)
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// SQLite's plan for this statement.
pub(crate) fn explained(db: &mut Db, statement: &str) -> Vec<String> {
    let Db::Sqlite(sqlite) = db else { panic!("no SQLite") };
    let plan = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
    plan.load::<Line>(sqlite).unwrap().into_iter().map(|line| line.detail).collect()
}

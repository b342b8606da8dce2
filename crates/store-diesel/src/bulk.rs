//! Statements over many rows at once, for PostgreSQL: one round trip and one prepared statement, however many rows.

use std::marker::PhantomData;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text};

/// The text of a statement, with `?` where its values go. The type is what the prepared statement is remembered by.
pub(crate) trait Sql: 'static {
    const TEXT: &'static str;
}

/// What a statement answers.
pub(crate) trait Answers: Sql {
    /// The types of the columns.
    type Columns;
}

/// A value of a statement: usually a column of all rows, to be unnested.
pub(crate) enum Bind<'a> {
    Texts(Vec<&'a str>),
    OptionalTexts(Vec<Option<&'a str>>),
    Numbers(Vec<i64>),
    OptionalNumbers(Vec<Option<i64>>),
    OptionalFlags(Vec<Option<bool>>),
    Blobs(Vec<&'a [u8]>),
    Text(&'a str),
    Number(i64),
    OptionalNumber(Option<i64>),
    Flag(bool),
    Blob(&'a [u8]),
}

/// A statement with its values, one for each `?`.
pub(crate) struct Bulk<'a, S> {
    binds: Vec<Bind<'a>>,
    sql: PhantomData<S>,
}

impl<'a, S: Sql> Bulk<'a, S> {
    pub(crate) fn new(binds: impl Into<Vec<Bind<'a>>>) -> Self {
        Self { binds: binds.into(), sql: PhantomData }
    }
}

impl<S: Sql> QueryFragment<Pg> for Bulk<'_, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut pieces = S::TEXT.split('?');
        out.push_sql(pieces.next().unwrap_or_default());
        for (bind, piece) in self.binds.iter().zip(pieces) {
            match bind {
                Bind::Texts(texts) => out.push_bind_param::<Array<Text>, _>(texts)?,
                Bind::OptionalTexts(texts) => out.push_bind_param::<Array<Nullable<Text>>, _>(texts)?,
                Bind::Numbers(numbers) => out.push_bind_param::<Array<BigInt>, _>(numbers)?,
                Bind::OptionalNumbers(numbers) => {
                    out.push_bind_param::<Array<Nullable<BigInt>>, _>(numbers)?;
                }
                Bind::OptionalFlags(flags) => out.push_bind_param::<Array<Nullable<Bool>>, _>(flags)?,
                Bind::Blobs(blobs) => out.push_bind_param::<Array<Binary>, _>(blobs)?,
                Bind::Text(text) => out.push_bind_param::<Text, _>(text)?,
                Bind::Number(number) => out.push_bind_param::<BigInt, _>(number)?,
                Bind::OptionalNumber(number) => out.push_bind_param::<Nullable<BigInt>, _>(number)?,
                Bind::Flag(flag) => out.push_bind_param::<Bool, _>(flag)?,
                Bind::Blob(blob) => out.push_bind_param::<Binary, _>(blob)?,
            }
            out.push_sql(piece);
        }
        Ok(())
    }
}

impl<S: Answers> Query for Bulk<'_, S> {
    type SqlType = S::Columns;
}

impl<S: Sql> QueryId for Bulk<'_, S> {
    type QueryId = Bulk<'static, S>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<S> RunQueryDsl<PgConnection> for Bulk<'_, S> {}

use diesel::prelude::*;
use tenantry_domain::id::UserId;
use tenantry_domain::people::{Email, User};
use tenantry_ports::{Credentials, StoreError, StoreResult, UserFilter, UserRepository};

use crate::convert::{containing, from_json, limit, micros, optional, parse, time, to_json};
use crate::db::MultiBackend;
use crate::schema::users;
use crate::transaction::Transaction;

/// A row of `users`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
struct UserRow {
    id: String,
    email: String,
    email_folded: String,
    username: String,
    first_name: Option<String>,
    last_name: Option<String>,
    role: String,
    abilities: String,
    active: bool,
    verified: bool,
    password_hash: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl UserRow {
    fn new(user: &User, password_hash: &str) -> StoreResult<Self> {
        Ok(Self {
            id: user.id.to_string(),
            email: user.email.to_string(),
            email_folded: user.email.folded(),
            username: user.username.to_string(),
            first_name: user.first_name.as_ref().map(ToString::to_string),
            last_name: user.last_name.as_ref().map(ToString::to_string),
            role: user.role.to_string(),
            abilities: to_json(&user.abilities)?,
            active: user.active,
            verified: user.verified,
            password_hash: password_hash.to_owned(),
            version: user.version,
            created_at: micros(user.created_at),
            updated_at: micros(user.updated_at),
        })
    }

    fn credentials(self) -> StoreResult<Credentials> {
        let user = User {
            id: parse("user", &self.id)?,
            email: parse("user", &self.email)?,
            username: parse("user", &self.username)?,
            first_name: optional("user", self.first_name.as_deref())?,
            last_name: optional("user", self.last_name.as_deref())?,
            role: parse("user", &self.role)?,
            abilities: from_json("user", &self.abilities)?,
            active: self.active,
            verified: self.verified,
            version: self.version,
            created_at: time("user", self.created_at)?,
            updated_at: time("user", self.updated_at)?,
        };
        Ok(Credentials { user, password_hash: self.password_hash })
    }
}

impl UserRepository for Transaction<'_> {
    fn insert(&mut self, user: &User, password_hash: &str) -> StoreResult<()> {
        self.write(|db| {
            diesel::insert_into(users::table).values(UserRow::new(user, password_hash)?).execute(db)?;
            Ok(())
        })
    }

    fn get(&mut self, id: UserId) -> StoreResult<Option<User>> {
        self.read(|db| {
            let found =
                users::table.find(id.to_string()).select(UserRow::as_select()).get_result(db).optional()?;
            Ok(found.map(UserRow::credentials).transpose()?.map(|credentials| credentials.user))
        })
    }

    fn credentials(&mut self, email: &Email) -> StoreResult<Option<Credentials>> {
        self.read(|db| {
            let query =
                users::table.filter(users::email_folded.eq(email.folded())).select(UserRow::as_select());
            Ok(query.get_result(db).optional()?.map(UserRow::credentials).transpose()?)
        })
    }

    fn update(&mut self, user: &User) -> StoreResult<()> {
        self.write(|db| {
            let row = UserRow::new(user, "")?;
            let before = users::table.find(row.id).filter(users::version.eq(user.version - 1));
            let columns = (
                users::email.eq(row.email),
                users::email_folded.eq(row.email_folded),
                users::username.eq(row.username),
                users::first_name.eq(row.first_name),
                users::last_name.eq(row.last_name),
                users::role.eq(row.role),
                users::abilities.eq(row.abilities),
                users::active.eq(row.active),
                users::verified.eq(row.verified),
                users::version.eq(row.version),
                users::updated_at.eq(row.updated_at),
            );
            match diesel::update(before).set(columns).execute(db)? {
                0 => Err(StoreError::Stale.into()),
                _ => Ok(()),
            }
        })
    }

    fn set_password(&mut self, id: UserId, password_hash: &str) -> StoreResult<()> {
        self.write(|db| {
            let user = users::table.find(id.to_string());
            match diesel::update(user).set(users::password_hash.eq(password_hash)).execute(db)? {
                0 => Err(StoreError::Stale.into()),
                _ => Ok(()),
            }
        })
    }

    fn list(&mut self, filter: &UserFilter, after: Option<UserId>, most: usize) -> StoreResult<Vec<User>> {
        self.read(|db| {
            let mut query = users::table
                .select(UserRow::as_select())
                .order(users::id.desc())
                .limit(limit(most))
                .into_boxed::<MultiBackend>();
            if let Some(role) = filter.role {
                query = query.filter(users::role.eq(role.as_str()));
            }
            if let Some(active) = filter.active {
                query = query.filter(users::active.eq(active));
            }
            if let Some(text) = &filter.text {
                let pattern = containing(text);
                let in_email = users::email_folded.like(pattern.clone()).escape('\\');
                query = query.filter(in_email.or(lower(users::username).like(pattern).escape('\\')));
            }
            if let Some(after) = after {
                query = query.filter(users::id.lt(after.to_string()));
            }
            let rows = query.load(db)?;
            let users = rows.into_iter().map(|row| Ok(row.credentials()?.user));
            Ok(users.collect::<StoreResult<_>>()?)
        })
    }

    fn page(&mut self, after: Option<UserId>, most: usize) -> StoreResult<Vec<Credentials>> {
        self.read(|db| {
            let query = users::table
                .filter(users::id.gt(after.map(|id| id.to_string()).unwrap_or_default()))
                .select(UserRow::as_select())
                .order(users::id)
                .limit(limit(most));
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(UserRow::credentials).collect::<StoreResult<_>>()?)
        })
    }
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// Of the letters of ASCII; both databases know no others here.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

use diesel::prelude::*;
use tenantry_domain::organisation::{Label, OrgContent, OrgId, OrgUnit};
use tenantry_ports::{OrgFilter, OrganisationRepository, StoreError, StoreResult};

use crate::bulk::{Bind, Bulk, Sql};
use crate::convert::{containing, limit, micros, optional, parse, time};
use crate::db::{Db, MultiBackend};
use crate::schema::org_units;
use crate::transaction::Transaction;

/// A row of `org_units`.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = org_units, treat_none_as_default_value = false, treat_none_as_null = true)]
struct UnitRow {
    id: String,
    kind: String,
    parent_id: Option<String>,
    target_id: Option<String>,
    code: Option<String>,
    name: Option<String>,
    description: Option<String>,
    folded: Option<String>,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl UnitRow {
    fn new(unit: &OrgUnit) -> Self {
        let label = unit.content.label();
        Self {
            id: unit.id.to_string(),
            kind: unit.kind().prefix().to_owned(),
            parent_id: unit.content.parent().map(|id| id.to_string()),
            target_id: unit.content.target().map(|id| id.to_string()),
            code: label.map(|label| label.code.to_string()),
            name: label.map(|label| label.name.to_string()),
            description: label.and_then(|label| Some(label.description.as_ref()?.to_string())),
            folded: unit.folded(),
            version: unit.version,
            created_at: micros(unit.created_at),
            updated_at: micros(unit.updated_at),
        }
    }

    fn unit(self) -> StoreResult<OrgUnit> {
        let id: OrgId = parse("unit", &self.id)?;
        let label = match (self.code, self.name, self.description) {
            (Some(code), Some(name), description) => Some(Label {
                code: parse("unit", &code)?,
                name: parse("unit", &name)?,
                description: optional("unit", description.as_deref())?,
            }),
            (None, None, None) => None,
            _ => return Err(StoreError::corrupt("unit", "a code or a name alone")),
        };
        let (parent, target) =
            (optional("unit", self.parent_id.as_deref())?, optional("unit", self.target_id.as_deref())?);
        let content = OrgContent::of(id.kind(), parent, target, label);
        let content = content.ok_or_else(|| StoreError::corrupt("unit", "not what its kind has"))?;
        Ok(OrgUnit {
            id,
            content,
            version: self.version,
            created_at: time("unit", self.created_at)?,
            updated_at: time("unit", self.updated_at)?,
        })
    }
}

fn units(rows: Vec<UnitRow>) -> StoreResult<Vec<OrgUnit>> {
    let mut units = rows.into_iter().map(UnitRow::unit).collect::<StoreResult<Vec<_>>>()?;
    units.sort_unstable_by_key(|unit| unit.id);
    Ok(units)
}

impl OrganisationRepository for Transaction<'_> {
    fn insert(&mut self, units: &[OrgUnit]) -> StoreResult<()> {
        if units.is_empty() {
            return Ok(());
        }
        self.write(|db| {
            let rows: Vec<_> = units.iter().map(UnitRow::new).collect();
            match db {
                Db::Sqlite(sqlite) => {
                    for row in rows {
                        diesel::insert_into(org_units::table).values(row).execute(sqlite)?;
                    }
                }
                Db::Postgres(postgres) => {
                    bulk::<InsertUnits>(&rows).execute(postgres)?;
                }
            }
            Ok(())
        })
    }

    fn update(&mut self, units: &[OrgUnit]) -> StoreResult<()> {
        if units.is_empty() {
            return Ok(());
        }
        self.write(|db| {
            let rows: Vec<_> = units.iter().map(UnitRow::new).collect();
            let count = rows.len();
            let mut changed = 0;
            match db {
                Db::Sqlite(sqlite) => {
                    for row in rows {
                        let before = org_units::version.eq(row.version - 1);
                        let unit = org_units::table.find(row.id.clone()).filter(before);
                        changed += diesel::update(unit).set(row).execute(sqlite)?;
                    }
                }
                Db::Postgres(postgres) => changed = bulk::<UpdateUnits>(&rows).execute(postgres)?,
            }
            if changed == count { Ok(()) } else { Err(StoreError::Stale.into()) }
        })
    }

    fn remove(&mut self, id: OrgId) -> StoreResult<()> {
        self.write(|db| match diesel::delete(org_units::table.find(id.to_string())).execute(db)? {
            0 => Err(StoreError::Stale.into()),
            _ => Ok(()),
        })
    }

    fn get(&mut self, ids: &[OrgId]) -> StoreResult<Vec<OrgUnit>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|db| {
            let wanted = ids.iter().map(ToString::to_string);
            let rows = match db {
                // One by one, so that the statement is kept, however many there are.
                Db::Sqlite(sqlite) => {
                    let mut rows = Vec::with_capacity(ids.len());
                    for id in wanted.collect::<std::collections::BTreeSet<_>>() {
                        let query = org_units::table.find(id).select(UnitRow::as_select());
                        rows.extend(query.get_result(sqlite).optional()?);
                    }
                    rows
                }
                Db::Postgres(postgres) => {
                    let query = org_units::table.filter(org_units::id.eq_any(wanted));
                    query.select(UnitRow::as_select()).load(postgres)?
                }
            };
            Ok(units(rows)?)
        })
    }

    fn page(&mut self, filter: &OrgFilter, after: Option<OrgId>, most: usize) -> StoreResult<Vec<OrgUnit>> {
        // The ids of a kind are all that begin with it, and `_` comes right before '`'.
        let kind = filter.kind.prefix();
        let before = after.map_or_else(|| format!("{kind}`"), |after| after.to_string());
        self.read(|db| {
            let mut query = org_units::table
                .filter(org_units::id.gt(format!("{kind}_")))
                .filter(org_units::id.lt(&before))
                .select(UnitRow::as_select())
                .order(org_units::id.desc())
                .limit(limit(most))
                .into_boxed::<MultiBackend>();
            if let Some(parent) = filter.parent {
                query = query.filter(org_units::parent_id.eq(parent.to_string()));
            }
            if let Some(target) = filter.target {
                query = query.filter(org_units::target_id.eq(target.to_string()));
            }
            if let Some(text) = &filter.text {
                query = query.filter(org_units::folded.like(containing(text)).escape('\\'));
            }
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(UnitRow::unit).collect::<StoreResult<_>>()?)
        })
    }

    fn hanging_on(&mut self, id: OrgId) -> StoreResult<Vec<OrgUnit>> {
        let id = id.to_string();
        self.read(|db| {
            let hangs = org_units::parent_id.eq(&id).or(org_units::target_id.eq(&id));
            Ok(units(org_units::table.filter(hangs).select(UnitRow::as_select()).load(db)?)?)
        })
    }

    fn all(&mut self) -> StoreResult<Vec<OrgUnit>> {
        self.read(|db| Ok(units(org_units::table.select(UnitRow::as_select()).load(db)?)?))
    }
}

struct InsertUnits;

impl Sql for InsertUnits {
    const TEXT: &'static str = "\
        INSERT INTO org_units (id, kind, parent_id, target_id, code, name, description, folded, \
                               version, created_at, updated_at) \
        SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
}

struct UpdateUnits;

impl Sql for UpdateUnits {
    const TEXT: &'static str = "\
        UPDATE org_units SET parent_id = new.parent_id, target_id = new.target_id, code = new.code, name = new.name, \
                             description = new.description, folded = new.folded, version = new.version, \
                             updated_at = new.updated_at \
        FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS new (id, kind, parent_id, target_id, code, name, description, \
                             folded, version, created_at, updated_at) \
        WHERE org_units.id = new.id AND org_units.version = new.version - 1";
}

/// A statement over all these rows, which takes their columns in their order.
fn bulk<S: Sql>(rows: &[UnitRow]) -> Bulk<'_, S> {
    let texts = |column: fn(&UnitRow) -> &str| Bind::Texts(rows.iter().map(column).collect());
    let optional =
        |column: fn(&UnitRow) -> Option<&str>| Bind::OptionalTexts(rows.iter().map(column).collect());
    let numbers = |column: fn(&UnitRow) -> i64| Bind::Numbers(rows.iter().map(column).collect());
    Bulk::new([
        texts(|row| &row.id),
        texts(|row| &row.kind),
        optional(|row| row.parent_id.as_deref()),
        optional(|row| row.target_id.as_deref()),
        optional(|row| row.code.as_deref()),
        optional(|row| row.name.as_deref()),
        optional(|row| row.description.as_deref()),
        optional(|row| row.folded.as_deref()),
        numbers(|row| row.version),
        numbers(|row| row.created_at),
        numbers(|row| row.updated_at),
    ])
}

#[cfg(test)]
mod tests {
    use tenantry_domain::organisation::OrgKind;
    use tenantry_testkit::sample::org_unit;

    use super::*;
    use crate::testing;
    use crate::testing::traffic::Ear;

    #[test]
    fn a_slice_is_one_statement_and_a_whole_organisation_one_round_trip() {
        let Some(place) = testing::postgres() else { return };
        let (database, store) = (place.tenant_database(), place.store());
        let company = org_unit(OrgKind::CompanyCode, "CC1", None);
        let plants = (0..500).map(|n| org_unit(OrgKind::Plant, &format!("P{n}"), Some(company.id)));
        let units: Vec<_> = std::iter::once(company.clone()).chain(plants).collect();
        let later: Vec<_> = units.iter().map(|unit| OrgUnit { version: 2, ..unit.clone() }).collect();
        let ear = Ear::on(&database);
        let inserted = ear.hear(|| store.write(|tx| tx.organisation().insert(&units)).unwrap());
        let updated = ear.hear(|| store.write(|tx| tx.organisation().update(&later)).unwrap());
        assert_eq!((inserted.sent.len(), updated.sent.len()), (3, 3), "{inserted:#?} {updated:#?}");
        let read = ear.hear(|| assert_eq!(store.read(|tx| tx.organisation().all()).unwrap(), later));
        assert_eq!(read.sent.len(), 1, "{read:#?}");
    }

    #[test]
    fn no_unit_is_below_one_of_the_wrong_kind_whoever_writes_it() {
        use diesel::connection::SimpleConnection as _;
        for place in testing::both() {
            let company = org_unit(OrgKind::CompanyCode, "CC1", None);
            place.store().write(|tx| tx.organisation().insert(std::slice::from_ref(&company))).unwrap();
            let database = place.tenant_database();
            let insert = |id: &str, kind: &str, parent: &str, code: &str| {
                let statement = format!(
                    "INSERT INTO org_units (id, kind, parent_id, code, name, folded, version, created_at, updated_at) \
                     VALUES ('{id}', '{kind}', {parent}, {code}, {code}, {code}, 1, 0, 0)"
                );
                database.connection().unwrap().db.batch_execute(&statement)
            };
            let parent = format!("'{}'", company.id);
            for (id, kind, parent, code) in [
                ("sloc_1", "sloc", parent.as_str(), "'S1'"),
                ("plant_1", "plant", "NULL", "'P1'"),
                ("plant_1", "plant", parent.as_str(), "NULL"),
                ("plant_1", "sloc", parent.as_str(), "'P1'"),
                ("cc_1", "cc", parent.as_str(), "'CC2'"),
                ("pasg_1", "pasg", parent.as_str(), "NULL"),
                ("shop_1", "shop", "NULL", "'S1'"),
            ] {
                let refused = insert(id, kind, parent, code);
                assert!(refused.is_err_and(|error| error.to_string().contains("org_units")), "{id} {kind}");
            }
            insert("plant_1", "plant", &parent, "'P1'").unwrap();
        }
    }
}

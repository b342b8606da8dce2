//! SQLite files as a crash leaves them in the midst of an adoption.

use std::fs;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tenantry_ports::{DatabaseFault, Presence, TenantScope};
use tenantry_testkit::sample::permitted;

use crate::places::{Sqlite, is_furnished, opened, pooled_for, sqlite, sqlite_with, use_it};

/// Leaves the files as they are when the process is killed.
type Crash = fn(&Scene);

/// How far an adoption had come then.
const CRASHES: [(&str, Crash); 6] = [
    ("before anything", |_| ()),
    ("when the log was emptied", |scene| scene.sql(&scene.pool, "PRAGMA journal_mode = DELETE")),
    ("when the file was put aside", Scene::put_aside),
    ("when it was being tagged", |scene| {
        Scene::put_aside(scene);
        scene.leave_a_journal(&scene.aside);
    }),
    ("when it was tagged", |scene| {
        Scene::put_aside(scene);
        scene.tag();
    }),
    ("when it was named", |scene| {
        Scene::put_aside(scene);
        scene.tag();
        fs::hard_link(&scene.aside, &scene.own).unwrap();
    }),
];

struct Scene {
    place: Sqlite,
    pooled: TenantScope,
    tenant: TenantScope,
    pool: PathBuf,
    aside: PathBuf,
    own: PathBuf,
}

impl Scene {
    fn set(crash: Crash) -> Self {
        let place = sqlite();
        let (pooled, tenant) = pooled_for(&place.stores, &place.settings, "acme");
        let (pool, own) = (place.file(&pooled), place.file(&tenant));
        let id = tenant.tenant().uuid().simple();
        let aside = place.tenants().join(format!("{}~adopt_{id}.db", place.settings.prefix.as_str()));
        let scene = Self { place, pooled, tenant, pool, aside, own };
        crash(&scene);
        scene
    }

    fn sql(&self, file: &Path, sql: &str) {
        let mut sqlite = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        sqlite.batch_execute(sql).unwrap();
    }

    fn put_aside(&self) {
        self.sql(&self.pool, "PRAGMA journal_mode = DELETE");
        fs::rename(&self.pool, &self.aside).unwrap();
    }

    fn tag(&self) {
        let sql = format!("UPDATE tenantry_owner SET tag = 'tenantry:{}'", self.tenant.tenant());
        self.sql(&self.aside, &sql);
    }

    /// The file and its journal as they are while a transaction is being written.
    fn leave_a_journal(&self, file: &Path) {
        let before = fs::read(file).unwrap();
        let mut sqlite = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        // Too little memory to keep what is written out of the file until the commit.
        let spill = "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; UPDATE tenantry_owner SET tag = 'torn'; \
            CREATE TABLE torn (text TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 99) \
            INSERT INTO torn SELECT hex(randomblob(500)) FROM n";
        sqlite.batch_execute(spill).unwrap();
        let journal = |file: &Path| PathBuf::from(format!("{}-journal", file.display()));
        let copy = file.with_extension("copy");
        for (from, to) in [(file.to_owned(), copy.clone()), (journal(file), journal(&copy))] {
            fs::copy(from, to).unwrap();
        }
        assert_ne!(fs::read(&copy).unwrap(), before, "half of it is in the file");
        drop(sqlite);
        for (from, to) in [(copy.clone(), file.to_owned()), (journal(&copy), journal(file))] {
            fs::rename(from, to).unwrap();
        }
    }

    /// The databases whose files there are.
    fn databases(&self) -> Vec<String> {
        let files = self.place.files().into_iter();
        files.filter(|file| !file.ends_with("-wal") && !file.ends_with("-shm")).collect()
    }

    fn name(file: &Path) -> String {
        file.file_name().unwrap().to_str().unwrap().to_owned()
    }
}

#[test]
fn an_adoption_is_carried_on_wherever_it_was_interrupted() {
    for (when, crash) in CRASHES {
        let scene = Scene::set(crash);
        let databases = scene.place.stores.databases();
        for _ in 0..2 {
            assert!(databases.adopt(&scene.pooled, &scene.tenant, &permitted).unwrap(), "{when}");
            assert!(is_furnished(&scene.place.stores, &scene.tenant), "{when}");
            assert_eq!(scene.databases(), [Scene::name(&scene.own)], "{when}");
        }
    }
}

#[test]
fn an_adoption_is_undone_wherever_it_was_interrupted() {
    for (when, crash) in CRASHES {
        let scene = Scene::set(crash);
        let databases = scene.place.stores.databases();
        for _ in 0..2 {
            databases.remove(&scene.pooled, &permitted).unwrap();
            databases.remove(&scene.tenant, &permitted).unwrap();
            assert_eq!(scene.place.files(), [""; 0], "{when}");
        }
        use_it(&opened(&scene.place.stores, &scene.tenant)).unwrap();
    }
}

/// Whoever does not carry on may begin anew: nothing stays behind beside the new database but what is the pool's.
#[test]
fn a_creation_clears_away_what_an_interrupted_adoption_left() {
    for (when, crash) in CRASHES {
        let scene = Scene::set(crash);
        scene.place.stores.databases().create(&scene.tenant, &permitted).unwrap();
        assert!(!scene.aside.exists(), "{when}");
        assert!(scene.own.exists(), "{when}");
    }
}

#[test]
fn what_was_written_last_is_adopted_although_nobody_closed_the_file() {
    let place = sqlite();
    let (pooled, tenant) = pooled_for(&place.stores, &place.settings, "acme");
    let file = place.file(&pooled);
    // As they are while the process is killed: what was committed is still in the log alone.
    let log = PathBuf::from(format!("{}-wal", file.display()));
    let mut sqlite = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    sqlite.batch_execute("CREATE TABLE late (text TEXT)").unwrap();
    let copies = [&file, &log].map(|file| PathBuf::from(format!("{}.copy", file.display())));
    for (file, copy) in [&file, &log].into_iter().zip(&copies) {
        fs::copy(file, copy).unwrap();
    }
    drop(sqlite);
    for (file, copy) in [&file, &log].into_iter().zip(&copies) {
        fs::rename(copy, file).unwrap();
    }
    assert!(fs::metadata(&log).unwrap().len() > 0);

    assert!(place.stores.databases().adopt(&pooled, &tenant, &permitted).unwrap());
    let mut sqlite = SqliteConnection::establish(place.file(&tenant).to_str().unwrap()).unwrap();
    sqlite.batch_execute("INSERT INTO late VALUES ('kept')").unwrap();
    drop(sqlite);
    assert!(is_furnished(&place.stores, &tenant));
}

#[test]
fn a_file_that_another_process_has_open_is_not_adopted_under_it() {
    let place = sqlite_with(|settings| settings.lock_timeout = std::time::Duration::from_millis(100));
    let (pooled, tenant) = pooled_for(&place.stores, &place.settings, "acme");
    let databases = place.stores.databases();
    let mut other = SqliteConnection::establish(place.file(&pooled).to_str().unwrap()).unwrap();
    other.batch_execute("SELECT count(*) FROM settings").unwrap();
    let refused = databases.adopt(&pooled, &tenant, &permitted).unwrap_err();
    assert_eq!(refused.fault, DatabaseFault::Passing, "{refused}");
    assert_eq!(databases.presence(&pooled).unwrap(), Presence::Own);
    assert_eq!(databases.presence(&tenant).unwrap(), Presence::Absent);

    drop(other);
    assert!(databases.adopt(&pooled, &tenant, &permitted).unwrap());
    assert!(is_furnished(&place.stores, &tenant));
}

#[test]
fn a_file_that_is_locked_is_not_taken_for_a_strangers() {
    let place = sqlite();
    let (pooled, _) = pooled_for(&place.stores, &place.settings, "acme");
    let mut other = SqliteConnection::establish(place.file(&pooled).to_str().unwrap()).unwrap();
    other.batch_execute("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE").unwrap();
    let databases = place.stores.databases();
    assert_eq!(databases.presence(&pooled).unwrap(), Presence::Own);
    assert_eq!(databases.inventory()[0].found.as_ref().unwrap()[0].owner, Some(pooled.tenant()));
}

#[test]
fn looking_leaves_nothing_behind() {
    let place = sqlite();
    let (pooled, _) = pooled_for(&place.stores, &place.settings, "acme");
    let before = place.files();
    assert_eq!(place.stores.databases().inventory()[0].found.as_ref().unwrap().len(), 1);
    assert_eq!(place.stores.databases().presence(&pooled).unwrap(), Presence::Own);
    assert_eq!(place.files(), before);
}

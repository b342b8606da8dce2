//! Has cargo notice new migrations, and gives the crate a fingerprint of the tenant schema on each kind of database.

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=../../migrations");
    for (variable, migrations) in [
        ("TENANT_FINGERPRINT_SQLITE", "../../migrations/tenant/sqlite"),
        ("TENANT_FINGERPRINT_POSTGRES", "../../migrations/tenant/postgres"),
    ] {
        println!("cargo:rustc-env={variable}={:016x}", fingerprint(Path::new(migrations))?);
    }
    Ok(())
}

fn fingerprint(directory: &Path) -> io::Result<u64> {
    let mut migrations: Vec<_> =
        fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    migrations.sort();
    let mut fingerprint = 0xcbf2_9ce4_8422_2325;
    for migration in migrations {
        digest(&mut fingerprint, &migration)?;
    }
    Ok(fingerprint)
}

/// FNV-1a: stable between compilers, and nobody attacks their own migrations.
fn digest(fingerprint: &mut u64, migration: &Path) -> io::Result<()> {
    let name = migration.file_name().unwrap_or_default().as_encoded_bytes();
    for byte in name.iter().copied().chain(fs::read(migration.join("up.sql"))?) {
        *fingerprint = (*fingerprint ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    Ok(())
}

# Conveniences over cargo; nothing here is needed to build, test or run.

# List the recipes
default:
    @just --list

# Everything that has to hold before a change is merged
ci:
    .ci/run

# Run a server with everything under ./data
run *arguments:
    cargo run --release -- {{ arguments }}

# Run the tests of everything, or of one crate: just test -p tenantry-domain
test *arguments='--workspace':
    cargo test {{ arguments }}

# Measure the hot paths over HTTP beside the machine's limits, each load for so many seconds: see docs/performance.md
bench seconds='5':
    cargo bench -p tenantry-tests --bench http -- {{ seconds }}

# Whether the time that a vain sign-in takes tells what was wrong with it: so many attempts of each kind
bench-sign-in attempts='300':
    cargo bench -p tenantry-tests --bench sign_in -- {{ attempts }}

# Format the code
fmt:
    cargo fmt --all

# Compile with every lint as an error
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Open the documentation of the crates
doc:
    cargo doc --workspace --no-deps --open

# Check the account configs in these files
validate +files:
    cargo run --release -- account-config validate {{ files }}

# Forget everything the development server has stored
[confirm("Delete ./data?")]
reset:
    rm -rf data

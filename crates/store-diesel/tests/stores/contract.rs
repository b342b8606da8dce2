//! Both stores do as the ports say.

mod sqlite {
    use crate::places::sqlite;

    tenantry_testkit::contract_tests!(sqlite);
}

mod postgres {
    use crate::places::postgres;

    tenantry_testkit::contract_tests!(postgres);
}

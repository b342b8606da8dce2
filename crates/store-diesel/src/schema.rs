//! The tables as Diesel sees them; the migrations are what makes them.

diesel::table! {
    tenants (id) {
        id -> Text,
        name -> Text,
        name_folded -> Text,
        slug -> Text,
        slug_held -> Bool,
        plan -> Text,
        contact_email -> Nullable<Text>,
        config -> Nullable<Text>,
        database_name -> Text,
        status -> Text,
        token -> Nullable<Text>,
        expires_at -> Nullable<BigInt>,
        since -> Nullable<BigInt>,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        needs_attention -> Nullable<Bool>,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        cluster -> Text,
        login -> Nullable<Text>,
        schema_version -> Nullable<Text>,
        drop_at -> Nullable<BigInt>,
        begun -> Nullable<Bool>,
        former -> Nullable<Text>,
    }
}

diesel::table! {
    provisioning_runs (tenant_id, number) {
        tenant_id -> Text,
        number -> BigInt,
        with_admin -> Bool,
        direction -> Text,
        admin -> Nullable<Text>,
        due_at -> Nullable<BigInt>,
        leased_by -> Nullable<Text>,
        leased_until -> Nullable<BigInt>,
        fence -> BigInt,
        closed -> Bool,
        kind -> Text,
        set_aside -> Nullable<Text>,
    }
}

diesel::table! {
    provisioning_steps (tenant_id, run_number, position) {
        tenant_id -> Text,
        run_number -> BigInt,
        position -> BigInt,
        kind -> Text,
        attempt -> BigInt,
        status -> Text,
        started_at -> Nullable<BigInt>,
        completed_at -> Nullable<BigInt>,
        log -> Nullable<Text>,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        undone_at -> Nullable<BigInt>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(tenants, provisioning_steps);

diesel::table! {
    pooled_databases (id) {
        id -> Text,
        cluster -> Text,
        database_name -> Text,
        state -> Text,
        schema_version -> Nullable<Text>,
        tenant_id -> Nullable<Text>,
        leased_until -> Nullable<BigInt>,
        fence -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Text,
        tenant_id -> Nullable<Text>,
        name -> Text,
        lookup -> Text,
        hash -> Binary,
        last4 -> Text,
        scopes -> Text,
        created_by -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        version -> BigInt,
        request -> Nullable<Text>,
        fingerprint -> Nullable<Binary>,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        number -> BigInt,
        algorithm -> Text,
        public_jwk -> Text,
        sealed_private -> Nullable<Text>,
        created_at -> BigInt,
        signs_from -> BigInt,
        signs_until -> Nullable<BigInt>,
        verifies_until -> Nullable<BigInt>,
        version -> BigInt,
    }
}

diesel::table! {
    carryover (id) {
        id -> BigInt,
        plan -> Text,
        begun_at -> BigInt,
        after_tenant -> Nullable<Text>,
        completed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    nonces (hash) {
        hash -> Binary,
        expires_at -> BigInt,
    }
}

diesel::table! {
    notices (id, channel) {
        id -> Text,
        channel -> Text,
        tenant_id -> Text,
        event_type -> Text,
        payload -> Text,
        created_at -> BigInt,
        due_at -> Nullable<BigInt>,
        leased_by -> Nullable<Text>,
        leased_until -> Nullable<BigInt>,
        attempts -> BigInt,
        last_error -> Nullable<Text>,
        settled_at -> Nullable<BigInt>,
        delivered -> Nullable<Bool>,
    }
}

diesel::table! {
    settings (id) {
        id -> BigInt,
        document -> Text,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        email -> Text,
        email_folded -> Text,
        username -> Text,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        role -> Text,
        abilities -> Text,
        active -> Bool,
        verified -> Bool,
        password_hash -> Text,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    log_heads (tenant_id, sequence) {
        tenant_id -> Text,
        sequence -> BigInt,
        hash -> Binary,
        signed_at -> BigInt,
        mac -> Binary,
    }
}

diesel::table! {
    upkeep (id) {
        id -> BigInt,
        begun_at -> BigInt,
        after_tenant -> Nullable<Text>,
        due_at -> BigInt,
        leased_by -> Nullable<Text>,
        leased_until -> Nullable<BigInt>,
        fence -> BigInt,
    }
}

diesel::table! {
    tenant_days (due_at, tenant_id) {
        due_at -> BigInt,
        tenant_id -> Text,
        leased_by -> Nullable<Text>,
        leased_until -> Nullable<BigInt>,
        fence -> BigInt,
    }
}

diesel::table! {
    replicas (id) {
        id -> Text,
        seen_at -> BigInt,
        rates -> Text,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        user_id -> Text,
        token_hash -> Binary,
        created_at -> BigInt,
        expires_at -> BigInt,
        generation -> BigInt,
        refreshed_at -> Nullable<BigInt>,
        ends_at -> Nullable<BigInt>,
        user_agent -> Nullable<Text>,
        address -> Nullable<Text>,
        ended_at -> Nullable<BigInt>,
        ended_reason -> Nullable<Text>,
    }
}

// In the control database and in every tenant's.
diesel::table! {
    sign_in_attempts (key) {
        key -> Binary,
        failures -> BigInt,
        last_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    basis (slot) {
        slot -> BigInt,
        id -> Text,
        document -> Text,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    processes (id) {
        id -> Text,
        process_type -> Text,
        name -> Text,
        steps -> Text,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    config_versions (subject, version) {
        subject -> Text,
        version -> BigInt,
        document -> Nullable<Text>,
        changed_by -> Text,
        changed_at -> BigInt,
    }
}

diesel::table! {
    account_configs (id, version) {
        id -> Text,
        version -> BigInt,
        document -> Text,
        resolved -> Text,
        hash -> Text,
        created_by -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    accounts (id) {
        id -> Text,
        tenant_id -> Text,
        user_id -> Text,
        config_id -> Text,
        config_version -> BigInt,
        config_hash -> Text,
        status -> Text,
        state -> Text,
        meta -> Nullable<Text>,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        rolls_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    org_units (id) {
        id -> Text,
        kind -> Text,
        parent_id -> Nullable<Text>,
        target_id -> Nullable<Text>,
        code -> Nullable<Text>,
        name -> Nullable<Text>,
        description -> Nullable<Text>,
        folded -> Nullable<Text>,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    account_mappings (account_id, id) {
        account_id -> Text,
        id -> Text,
        user_id -> Text,
        mapped_at -> BigInt,
        mapped_by -> Nullable<Text>,
        unmapped_at -> Nullable<BigInt>,
        unmapped_by -> Nullable<Text>,
    }
}

diesel::table! {
    trades (account_id, trade_id) {
        account_id -> Text,
        trade_id -> Text,
        sequence -> BigInt,
        place -> BigInt,
        trade -> Text,
        realised -> Text,
    }
}

diesel::table! {
    holdings (symbol, account_id) {
        symbol -> Text,
        account_id -> Text,
    }
}

diesel::joinable!(account_mappings -> accounts (account_id));
diesel::allow_tables_to_appear_in_same_query!(account_mappings, accounts);

diesel::table! {
    idempotency (scope) {
        scope -> Text,
        fingerprint -> Binary,
        status -> BigInt,
        body -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    events (sequence) {
        sequence -> BigInt,
        id -> Text,
        #[sql_name = "type"]
        event_type -> Text,
        account_id -> Nullable<Text>,
        envelope -> Text,
        previous -> Binary,
        hash -> Binary,
    }
}

diesel::table! {
    log_head (id) {
        id -> BigInt,
        sequence -> BigInt,
        hash -> Binary,
        accounts -> BigInt,
        users -> BigInt,
        configs -> BigInt,
    }
}

diesel::table! {
    log_floor (id) {
        id -> BigInt,
        sequence -> BigInt,
        hash -> Binary,
        signed_at -> BigInt,
        mac -> Binary,
    }
}

diesel::allow_tables_to_appear_in_same_query!(log_head, log_floor);

diesel::table! {
    webhook_endpoints (id) {
        id -> Text,
        url -> Text,
        description -> Nullable<Text>,
        event_types -> Text,
        secret -> Binary,
        previous_secret -> Nullable<Binary>,
        previous_until -> Nullable<BigInt>,
        disabled -> Nullable<Text>,
        disabled_at -> Nullable<BigInt>,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        position -> BigInt,
        recover_until -> BigInt,
        retry_at -> Nullable<BigInt>,
        failing_since -> Nullable<BigInt>,
        rests_until -> BigInt,
        lease -> Nullable<Text>,
        lease_until -> BigInt,
    }
}

diesel::table! {
    webhook_deliveries (id) {
        id -> Text,
        endpoint_id -> Text,
        sequence -> BigInt,
        event_id -> Text,
        event_type -> Text,
        status -> Text,
        due_at -> Nullable<BigInt>,
        attempts -> BigInt,
        last_attempt -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(webhook_deliveries, events);

diesel::table! {
    delivery_marks (tenant_id) {
        tenant_id -> Text,
        look_at -> BigInt,
        until -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(sessions, users);

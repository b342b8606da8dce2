//! The one list of every fact, and what is made of it.

use super::{Subject, control, databases, tenant};

/// A fact and its name, as in `tenants::a_stale_version_is_refused`.
pub type Fact = (&'static str, fn(&dyn Subject));

/// Calls `$callback!` with the context given and every fact, by group and module.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_fact {
    ($callback:path, $context:tt) => {
        $callback! { $context
            control CONTROL {
                tenants {
                    a_tenant_is_read_back_whole
                    an_unknown_tenant_is_none
                    every_lifecycle_state_is_kept_with_its_facts
                    an_update_replaces_every_member
                    a_stale_version_is_refused
                    updating_an_unknown_tenant_is_stale
                    a_slug_that_is_held_is_a_conflict
                    an_id_that_is_taken_is_a_conflict
                    a_slug_is_free_in_exactly_the_states_that_do_not_hold_it
                    taking_up_a_slug_again_that_another_one_holds_is_a_conflict
                    of_concurrent_tenants_with_one_slug_one_wins
                    of_concurrent_updates_of_one_version_one_wins
                    pages_are_newest_first_and_complete
                    tenants_are_filtered_by_status_and_plan
                    tenants_are_filtered_by_literal_text
                    slugs_compare_exactly
                }
                fleet {
                    who_can_no_longer_be_confirmed_is_overdue
                    the_overdue_come_oldest_first
                    a_database_is_outdated_unless_its_schema_was_noted
                    only_databases_that_are_looked_after_are_outdated
                    the_outdated_come_in_order_of_id
                    noting_a_schema_is_no_change_of_the_tenant
                    a_noted_schema_is_kept_with_the_rest_of_its_unit_of_work
                    the_outdated_come_with_what_was_noted
                    one_question_tells_whether_anything_is_outdated
                    the_census_counts_tenants_by_state
                    tenants_are_counted_where_they_live
                }
                runs {
                    runs_and_journals_are_kept_in_order
                    every_kind_of_run_is_kept
                    a_tenant_sees_its_own_runs_only
                    a_run_number_that_is_taken_is_a_conflict
                    a_run_is_claimed_only_after_it_was_enqueued
                    a_run_is_not_claimed_before_it_is_due
                    the_run_longest_due_is_claimed_first
                    a_claim_brings_run_tenant_and_admin
                    a_lease_excludes_others_until_it_is_over
                    recording_keeps_the_journal_and_the_lease
                    a_lease_that_is_over_but_not_taken_over_still_writes
                    a_renewed_lease_keeps_others_off
                    a_lease_holds_until_somebody_ends_it
                    a_zombie_is_fenced_off
                    a_released_run_is_claimed_again_when_due
                    a_closed_run_is_done_with
                    a_closed_or_unknown_run_is_not_enqueued
                    a_claim_that_is_rolled_back_was_never_made
                    concurrent_workers_get_each_run_exactly_once
                }
                oversight {
                    open_runs_are_listed_by_how_long_they_have_waited
                    a_run_that_cannot_be_read_is_set_aside
                    a_run_whose_tenant_cannot_be_read_is_set_aside
                    what_was_set_aside_is_still_open
                    what_was_set_aside_is_claimed_once_it_is_queued_again
                    setting_aside_fences_a_zombie_off
                    a_run_nobody_works_on_is_cancelled
                    a_leased_closed_or_unknown_run_is_not_cancelled
                    a_run_is_cancelled_with_the_rest_of_its_unit_of_work
                    a_run_is_claimed_or_cancelled_and_never_both
                    a_pending_admin_is_taken_once
                    an_admin_moves_to_the_next_run
                    of_concurrent_takers_one_gets_the_admin
                }
                pool {
                    databases_are_read_back_with_their_state
                    an_id_that_is_taken_is_refused
                    the_oldest_that_is_ready_is_taken
                    only_what_fits_is_taken
                    what_is_in_work_is_not_taken
                    what_was_taken_before_is_answered_again
                    nothing_is_taken_by_others
                    a_taking_that_is_rolled_back_never_was
                    forgetting_forgets_what_the_tenant_has_taken
                    concurrent_takers_get_different_databases
                    concurrent_takers_for_one_tenant_take_one_database
                }
                pool_leases {
                    what_was_abandoned_is_claimed_under_a_higher_fence
                    what_was_abandoned_first_is_claimed_first
                    a_renewed_lease_keeps_others_off
                    a_lease_that_is_over_but_not_taken_over_still_writes
                    a_lease_ends_when_the_database_is_ready
                    what_is_ready_is_claimed_to_look_after_it
                    what_was_claimed_when_ready_can_be_abandoned
                    what_was_taken_is_not_claimed
                    of_taker_and_keeper_one_wins
                    concurrent_keepers_get_each_abandoned_database_once
                }
                unreadable {
                    pages_go_past_tenants_that_cannot_be_read
                    overdue_tenants_are_found_beside_those_that_cannot_be_read
                    outdated_tenants_are_found_beside_those_that_cannot_be_read
                    tenants_that_cannot_be_read_are_named
                    an_unreadable_pooled_database_is_given_to_nobody
                    an_unreadable_abandoned_database_is_carried_on_with_by_nobody
                    a_taken_database_that_becomes_unreadable_is_the_tenants_no_more
                }
                api_keys {
                    a_key_is_read_back_whole
                    a_public_part_that_is_taken_is_a_conflict
                    keys_are_listed_by_owner_newest_first
                    keys_that_work_are_counted_by_owner
                    of_concurrent_keys_the_last_free_place_takes_one
                    pages_of_keys_are_complete_and_in_order
                    a_key_is_found_by_its_id_too
                    an_updated_key_ends_and_keeps_the_rest
                    a_stale_key_is_refused
                    a_request_makes_one_key
                    of_concurrent_updates_of_a_key_one_wins
                    uses_are_noted_for_many_keys_at_once
                }
                signing_keys {
                    a_signing_key_is_read_back_whole
                    signing_keys_come_in_order_of_number
                    of_concurrent_first_keys_one_wins
                    an_updated_signing_key_has_other_times_and_seal
                    a_stale_signing_key_is_refused
                }
                delivery_marks {
                    marked_tenants_are_due_at_once
                    a_mark_holds_until_its_time
                    a_tenant_is_looked_at_again_when_it_is_due
                    a_tenant_is_looked_at_by_one
                }
                carryover {
                    there_is_no_carryover_at_first
                    a_carryover_takes_the_place_of_the_one_before
                }
                upkeep {
                    a_round_goes_on_where_it_was
                    who_lost_the_round_settles_nothing
                    of_two_who_claim_the_round_one_gets_it
                }
                heads {
                    heads_are_read_back_in_order
                    a_head_is_never_replaced
                    only_the_latest_heads_are_kept
                    the_platforms_heads_are_none_of_a_tenants
                }
                log {
                    the_platform_has_a_log_of_its_own
                    entries_are_chosen_by_tenant
                    an_entry_is_kept_with_its_change_or_not_at_all
                    concurrent_units_of_work_make_one_chain
                }
                replicas {
                    replicas_are_told_of_each_other
                    the_last_word_of_a_replica_counts
                    silent_and_stopped_replicas_are_forgotten
                    the_others_can_be_asked_for
                }
                days {
                    looks_come_when_they_are_due
                    a_look_is_there_once
                    a_settled_look_is_over_and_the_next_is_there
                    a_zombie_settles_no_look
                    a_look_that_is_rolled_back_never_was
                    concurrent_claimers_get_each_look_once
                }
                idempotency {
                    an_answer_is_kept_whole_and_once
                    outdated_answers_are_forgotten
                }
                nonces {
                    a_nonce_is_first_once
                    nonces_are_told_apart_by_every_byte
                    a_nonce_is_remembered_until_it_expires_and_no_longer
                    a_nonce_keeps_the_time_it_was_first_remembered_until
                    a_nonce_that_is_rolled_back_was_never_used
                    of_concurrent_uses_of_one_nonce_one_is_first
                    concurrent_uses_of_different_nonces_are_all_first
                    a_reader_remembers_nothing
                }
                notices {
                    a_notice_is_read_back_whole
                    an_event_is_noted_once_per_channel
                    a_notice_that_is_rolled_back_was_never_written
                    a_notice_of_nobody_is_refused
                    channels_are_claimed_apart
                    what_is_longest_due_is_claimed_first
                    a_tenants_notices_go_one_after_the_other
                    a_lease_excludes_others_until_it_is_over
                    a_delivered_notice_is_done_with
                    a_failed_notice_is_claimed_again_when_due
                    a_notice_that_was_given_up_is_kept_with_its_error
                    what_was_given_up_is_sent_again_when_told
                    a_zombie_settles_nothing
                    a_lease_that_is_over_but_not_taken_over_still_settles
                    notices_are_listed_newest_first_and_filtered
                    only_settled_notices_are_pruned
                    concurrent_claimers_get_each_notice_exactly_once
                }
                transactions {
                    a_commit_keeps_everything
                    an_error_keeps_nothing
                    a_swallowed_error_dooms_the_transaction
                    a_swallowed_stale_dooms_the_transaction_too
                    a_doomed_transaction_leaves_the_store_working
                    a_reader_that_writes_is_refused
                    a_rollback_by_verdict_keeps_nothing
                    a_panic_keeps_nothing
                }
            }
            tenant TENANT {
                settings {
                    there_are_none_before_seeding
                    settings_are_read_back_and_replaced
                }
                people {
                    a_user_is_read_back_whole
                    credentials_are_found_by_folded_address
                    an_address_that_is_taken_is_a_conflict
                    a_username_that_is_taken_is_a_conflict
                    of_concurrent_users_with_one_address_one_wins
                    pages_of_people_are_in_order_of_id
                    a_user_is_changed_version_by_version
                    a_password_is_replaced_and_nothing_else
                    people_are_listed_newest_first_and_filtered
                }
                sessions {
                    a_session_is_read_back_whole
                    a_session_is_replaced_whole
                    a_session_of_nobody_is_refused
                    who_is_signed_in_is_told_while_they_may_be
                    live_sessions_are_listed_newest_first
                    all_sessions_of_a_user_are_ended_but_one
                    only_what_was_over_long_ago_is_removed
                    what_was_over_long_ago_is_swept_away
                }
                attempts {
                    attempts_are_counted_until_they_come_too_early
                    what_comes_too_early_is_not_counted
                    failures_are_forgotten_after_a_quiet_time_or_when_told_to
                    attempts_are_found_by_their_keys
                    only_forgotten_attempts_are_removed
                    an_attempt_that_is_rolled_back_was_never_made
                    of_concurrent_attempts_only_the_free_ones_are_let_through
                }
                basis {
                    a_basis_is_read_back_whole
                    a_basis_is_replaced_version_by_version
                    a_process_is_read_back_whole
                    a_type_and_name_that_is_taken_is_a_conflict
                    of_concurrent_processes_of_one_name_one_wins
                    a_process_is_changed_and_removed_version_by_version
                    processes_are_listed_newest_first_and_filtered
                    versions_are_read_back_whole_and_newest_first
                    every_version_is_passed_in_order
                    a_version_that_is_there_is_a_conflict
                }
                configs {
                    a_config_is_read_back_whole
                    every_version_stays_and_the_highest_is_current
                    versions_are_listed_from_the_highest_down
                    a_version_is_found_by_its_hash
                    a_version_that_is_taken_is_a_conflict
                    of_concurrent_uploads_of_one_version_one_wins
                    heads_are_the_current_versions
                    pages_are_in_order_of_id
                    what_is_cleared_is_gone_and_may_come_anew
                }
                accounts {
                    an_account_is_read_back_whole
                    every_status_is_kept
                    slices_of_any_size_are_inserted_and_read
                    unknown_ids_are_left_out
                    revisions_are_those_of_the_accounts
                    an_id_that_is_taken_is_a_conflict
                    pages_are_newest_first_and_complete
                    accounts_are_filtered
                    concurrent_slices_all_arrive
                    updated_accounts_are_read_back_whole
                    what_an_account_is_born_with_stays
                    a_stale_account_is_refused_with_its_slice
                    of_concurrent_updates_of_an_account_one_wins
                    what_is_rolled_back_is_not_counted
                }
                organisation {
                    units_of_every_kind_are_read_back_whole
                    a_code_that_is_taken_is_a_conflict
                    a_groups_code_is_unique_within_its_purchasing_org
                    an_assignment_that_is_there_is_a_conflict
                    a_unit_that_hangs_on_nothing_is_refused
                    what_something_hangs_on_is_not_removed
                    units_are_changed_version_by_version
                    units_are_listed_newest_first_and_filtered
                    of_concurrent_units_with_one_code_one_wins
                }
                idempotency {
                    an_answer_is_read_back_whole
                    scopes_are_found_exactly
                    a_second_answer_is_a_conflict
                    an_answer_counts_until_its_retention_ends
                    an_answer_is_replaced_after_its_retention_only
                    of_concurrent_answers_one_is_kept
                    outdated_answers_are_swept_away
                }
                log {
                    a_new_log_is_empty
                    entries_are_read_back_whole
                    appending_nothing_changes_nothing
                    pages_are_in_order
                    the_head_can_be_looked_at_while_somebody_writes
                    entries_are_chosen_and_found
                    entries_can_be_read_as_they_stand
                    entries_that_do_not_continue_the_log_are_refused
                    a_rolled_back_entry_leaves_no_gap
                    concurrent_appends_make_one_chain
                    counts_are_those_of_what_is_stored
                    what_is_read_under_the_lock_stays_true
                    people_get_as_many_places_as_there_are
                    what_happened_to_an_account_is_listed_newest_first
                    what_happened_to_an_account_is_filtered
                }
                floor {
                    a_log_begins_at_its_beginning
                    a_raised_floor_lets_go_of_what_is_below
                    a_floor_that_cannot_be_is_refused
                    a_floor_is_replaced_in_its_place
                    a_floor_that_is_rolled_back_has_removed_nothing
                    of_two_who_raise_a_floor_at_once_one_removes
                    an_empty_log_goes_on_after_a_floor
                }
                mappings {
                    a_mapping_is_read_back_whole
                    a_mapping_of_no_account_is_refused
                    a_mapping_ends_once
                    the_latest_mapping_is_told
                    mappings_of_an_account_are_oldest_first
                    a_user_has_accounts_born_with_and_given
                    accounts_of_a_user_are_paged_newest_first
                    pages_of_mappings_are_complete
                }
                webhooks {
                    an_endpoint_is_read_back_whole
                    a_removed_endpoint_is_gone
                    an_endpoint_is_claimed_while_there_is_something_for_it
                    who_lost_an_endpoint_settles_nothing
                    what_is_to_be_tried_again_is_found_when_it_is_due
                    what_is_pending_about_an_account_is_known
                    going_back_is_recovering
                    what_is_not_settled_is_known
                    settled_deliveries_are_removed
                }
                histories {
                    an_accounts_rules_are_one_stored_versions
                    an_accounts_rules_are_one_stored_versions_also_under_concurrent_uploads
                }
                trades {
                    a_trade_is_read_back_whole
                    a_trade_id_is_taken_once_in_an_account
                    what_was_applied_is_found_by_account_and_id
                    trades_are_in_the_order_in_which_they_were_applied
                    holders_are_noted_once_and_until_they_are_removed
                }
                days {
                    accounts_come_when_they_are_due
                    of_two_processes_each_day_is_begun_by_one
                }
                transactions {
                    a_write_its_event_and_its_answer_commit_together
                    a_swallowed_error_dooms_the_transaction
                    a_doomed_transaction_harms_no_neighbour
                    a_reader_that_writes_is_refused
                    a_reader_and_a_writer_do_not_wait_for_each_other
                    a_rollback_by_verdict_keeps_nothing
                    a_panic_keeps_nothing
                }
            }
            databases DATABASES {
                lifecycle {
                    presence_tells_whether_the_database_is_there
                    every_step_may_be_repeated
                    a_missing_database_is_not_migrated
                    what_is_pending_is_what_migrating_does
                    the_schema_has_a_name
                    a_closed_database_is_opened_again
                    a_pooled_database_is_made_like_a_tenants
                    a_missing_database_is_not_opened
                    a_database_may_be_opened_more_than_once
                    a_database_in_use_is_dropped
                    a_database_that_is_made_again_is_empty
                    a_retry_after_a_drop_begins_anew
                    concurrent_creations_of_one_database_agree
                }
                adoption {
                    an_adopted_database_is_the_tenants_with_all_that_is_in_it
                    adopting_may_be_repeated
                    what_is_not_there_is_not_adopted
                    what_is_not_the_pools_is_not_adopted
                    a_tenant_that_has_a_database_keeps_it
                    adopting_displaces_nobody
                    removing_the_pooled_database_leaves_the_adopted_one
                    an_adopted_database_is_dropped_and_made_anew
                    concurrent_adoptions_agree
                }
                permits {
                    a_refused_creation_makes_nothing
                    a_refused_removal_drops_nothing
                    a_refused_adoption_moves_nothing
                    a_zombie_neither_brings_a_database_back_nor_drops_it
                    every_change_asks_first
                    permission_is_given_to_one_at_a_time
                }
                inventory {
                    what_is_there_is_listed_with_its_owner
                    the_list_follows_what_becomes_of_a_database
                }
                isolation {
                    a_foreign_database_is_left_alone
                    another_tenants_database_is_foreign
                    tenants_see_their_own_data_only
                }
            }
        }
    };
}

/// Stamps every fact as a `#[test]`, named as in `control::tenants::a_stale_version_is_refused`, on a subject of its own.
///
/// Give it the name of a function that makes a [`Subject`](crate::contract::Subject), or none where there is nothing to
/// test with (which then should say so). Two stores need a module each; see [`contract`](crate::contract).
#[macro_export]
macro_rules! contract_tests {
    ($subject:ident) => {
        $crate::for_each_fact!($crate::contract_test_modules, $subject);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! contract_test_modules {
    ($subject:ident $($group:ident $list:ident { $($module:ident $facts:tt)* })*) => {$(
        mod $group {$(
            mod $module {
                use super::super::*;
                $crate::contract_test_functions!($subject $group $module $facts);
            }
        )*}
    )*};
}

#[doc(hidden)]
#[macro_export]
macro_rules! contract_test_functions {
    ($subject:ident $group:ident $module:ident { $($fact:ident)* }) => {$(
        #[test]
        fn $fact() {
            $crate::contract::check($subject(), $crate::contract::$group::$module::$fact);
        }
    )*};
}

macro_rules! list_facts {
    (() $($group:ident $list:ident { $($module:ident { $($fact:ident)* })* })*) => {$(
        #[doc = concat!("Every fact of [`", stringify!($group), "`].")]
        pub const $list: &[Fact] =
            &[$($((concat!(stringify!($module), "::", stringify!($fact)), $group::$module::$fact)),*),*];
    )*};
}

crate::for_each_fact!(list_facts, ());

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// What is written but not listed would be checked by nobody.
    #[test]
    fn every_fact_that_is_written_is_listed() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract");
        for (group, list) in [("control", CONTROL), ("tenant", TENANT), ("databases", DATABASES)] {
            let mut written = BTreeSet::new();
            for file in fs::read_dir(directory.join(group)).unwrap() {
                let path = file.unwrap().path();
                let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
                for line in fs::read_to_string(&path).unwrap().lines() {
                    if let Some(name) = line.strip_prefix("pub fn ").and_then(|rest| rest.split('(').next()) {
                        assert!(written.insert(format!("{module}::{name}")));
                    }
                }
            }
            let listed: BTreeSet<_> = list.iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(listed, written, "{group}");
            assert_eq!(list.len(), listed.len(), "{group}");
        }
    }
}

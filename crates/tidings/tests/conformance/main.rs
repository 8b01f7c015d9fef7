//! The behavior that every backend of the engine must have, checked against a simple model.
//!
//! Each case takes a [`TestDir`], in which an engine can be opened, closed and opened again. The cases are
//! listed once, below. A backend is one line.

mod backend;
mod cases;
mod listed;
mod model;
#[cfg(feature = "postgres")]
mod moves;
#[cfg(feature = "postgres")]
#[path = "../support/postgres.rs"]
mod postgres_database;
mod reader;
mod seeds;
mod test_dir;
mod tidied;

use test_dir::TestDir;

/// Runs every case on a backend.
macro_rules! conformance {
    ($backend:ident, $dir:expr) => {
        mod $backend {
            use super::*;

            fn test_dir() -> TestDir {
                $dir
            }

            #[test]
            fn random_histories_agree_with_the_model() {
                cases::random::histories_agree_with_the_model(test_dir);
            }

            #[test]
            fn requests_that_share_a_commit_behave_as_if_alone() {
                cases::groups::requests_that_share_a_commit_behave_as_if_alone(test_dir);
            }

            conformance!(@async
                cases::random::a_history_waits_until_retention_has_scanned_all_feeds,
                cases::handoff::every_reader_ends_with_the_list_under_concurrent_changes,
                cases::handoff::every_reader_ends_with_the_list_with_a_small_window,
                cases::handoff::a_reader_that_keeps_cancelling_still_advances,
                cases::handoff::an_idle_reader_delays_nobody_and_later_gets_everything,
                cases::handoff::an_event_committed_while_a_subscription_opens_is_seen,
                cases::handoff::dropping_a_waiting_read_loses_no_item,
                cases::publish::a_repeat_returns_the_first_receipt,
                cases::publish::an_id_with_other_content_is_a_conflict,
                cases::publish::a_batch_is_stored_whole_or_not_at_all,
                cases::publish::an_event_survives_its_caller,
                cases::publish::events_are_delivered_before_they_are_acknowledged,
                cases::publish::close_commits_accepted_requests,
                cases::publish::every_concurrent_close_waits_for_the_end,
                cases::publish::subscriptions_end_with_the_last_handle,
                cases::publish::subscriptions_can_end_while_publishing_continues,
                cases::publish::numbers_come_back_as_they_were_sent,
                cases::publish::too_large_events_and_batches_are_rejected,
                cases::publish::requests_after_close_are_rejected,
                cases::ids::one_batch_sends_one_event_to_many_owners,
                cases::ids::an_id_tells_nothing_about_other_owners,
                cases::ids::an_id_means_the_own_event_before_the_system_s,
                cases::ids::an_owner_kind_tells_two_events_with_one_id_apart,
                cases::ids::a_bulk_change_reaches_both_events_of_an_id,
                cases::ids::pages_hold_both_events_of_an_id,
                cases::owners::one_user_never_sees_the_events_of_another,
                cases::owners::every_user_sees_system_events_live_and_in_the_list,
                cases::owners::the_system_follows_its_own_feed,
                cases::start::each_unusable_cursor_is_reset_with_its_reason,
                cases::start::a_subscription_misses_nothing_from_the_moment_it_is_opened,
                cases::start::the_cursor_of_a_list_continues_in_the_stream,
                cases::changes::reports_each_outcome_and_hides_foreign_events,
                cases::changes::a_change_without_effect_takes_no_rev,
                cases::changes::a_change_reaches_every_stream_with_its_counts,
                cases::changes::a_bulk_change_comes_in_bounded_frames,
                cases::changes::a_replay_spans_more_changes_than_one_piece,
                cases::changes::a_bulk_change_touches_nothing_newer_than_its_cursor,
                cases::changes::an_unusable_selection_is_rejected,
                cases::changes::publishing_continues_between_the_steps_of_a_bulk_change,
                cases::changes::a_bulk_change_survives_its_caller,
                cases::changes::a_deleted_event_stays_deleted_when_published_again,
                cases::changes::a_listed_event_can_be_published_back,
                cases::system::each_user_marks_and_deletes_system_events_alone,
                cases::system::deleting_a_system_event_tells_each_reader_their_counts,
                cases::system::overlays_of_many_users_go_with_their_system_event,
                cases::system::types_cover_exactly_the_events_a_user_sees,
                cases::updates::an_update_reaches_every_stream_with_its_counts,
                cases::updates::an_event_is_replayed_in_two_frames_beyond_its_creation,
                cases::updates::a_late_retry_of_the_publish_is_a_repeat,
                cases::updates::an_older_update_never_replaces_a_newer_one,
                cases::updates::an_update_does_not_bring_a_deleted_event_back,
                cases::updates::only_the_texts_of_a_system_event_change,
                cases::updates::a_publisher_updates_only_what_its_systems_published,
                cases::updates::an_update_counts_against_the_quota,
                cases::updates::an_event_does_not_outgrow_its_limit,
                cases::updates::a_search_follows_the_updates_of_a_long_feed,
                cases::retractions::a_retraction_looks_like_the_owners_deletion,
                cases::retractions::a_retracted_system_event_disappears_for_every_user,
                cases::retractions::a_publisher_retracts_only_what_its_systems_published,
                cases::retractions::a_retraction_means_one_inbox_only,
                cases::recipients::a_repeat_reaches_exactly_the_rest,
                cases::recipients::a_conflict_of_one_owner_rejects_all,
                cases::recipients::unusable_requests_are_rejected,
                cases::recipients::an_update_reaches_all_recipients_in_steps,
                cases::recipients::a_retraction_reaches_all_recipients_for_good,
                cases::recipients::a_retraction_is_not_lost_beside_publishes_to_more_owners,
                cases::recipients::newcomers_have_the_newest_text_beside_updates,
                cases::recipients::a_full_quota_of_one_owner_rejects_all,
                cases::recipients::publishers_with_one_id_have_audiences_of_their_own,
                cases::retention::keeps_the_newest_events_and_streams_the_deletions,
                cases::retention::deletes_old_events_before_it_counts_the_rest,
                cases::retention::each_severity_has_its_age,
                cases::retention::a_cursor_before_forgotten_deletions_is_too_old,
                cases::expiry::an_event_goes_at_the_time_of_its_publisher,
                cases::expiry::an_event_that_has_expired_already_goes_at_once,
                cases::expiry::an_update_keeps_the_time,
                cases::expiry::many_events_go_in_steps,
                cases::quota::an_owner_can_fill_the_quota_to_the_last_byte,
                cases::quota::a_backend_can_fill_the_quota_a_second_time,
                cases::quota::a_full_quota_of_one_owner_does_not_affect_others,
                cases::quota::the_remembered_deletions_of_an_owner_are_limited,
                cases::clocks::keeps_the_last_stored_events_whatever_their_times,
                cases::clocks::a_jump_of_the_wall_clock_deletes_nothing,
                cases::clocks::an_event_with_an_impossible_time_ages_from_its_storage,
                cases::clocks::the_time_of_a_system_event_never_goes_back,
                cases::search::search_in_a_long_feed_agrees_with_the_model,
                cases::list::pages_hold_every_event_once_newest_first,
                cases::list::filters_select_events_but_not_counts,
                cases::list::pages_by_token_are_stable_while_events_arrive,
                cases::list::large_events_are_paged_without_gaps,
                cases::list::the_rest_of_a_page_leaves_out_deleted_events,
            );
        }
    };
    (@async $($($path:ident)::+),+ $(,)?) => {
        $(conformance!(@one $($path)::+);)+
    };
    (@one $cases:ident::$module:ident::$name:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $cases::$module::$name(test_dir()).await;
        }
    };
}

conformance!(sqlite, TestDir::sqlite());
// The events of an owner go from the row of their feed to its lists at once, or two at a time.
conformance!(sqlite_listing_each, TestDir::sqlite_with(1));
conformance!(sqlite_listing_two, TestDir::sqlite_with(2));
#[cfg(feature = "postgres")]
conformance!(postgres, TestDir::postgres());

/// A store that moves from one backend to the other at each restart of the engine.
#[cfg(feature = "postgres")]
mod moving {
    use super::*;

    #[test]
    fn random_histories_agree_with_the_model() {
        cases::random::histories_agree_with_the_model(TestDir::moving);
    }

    #[tokio::test]
    async fn a_store_is_one_or_the_other_while_it_moves() {
        cases::moving::a_store_is_one_or_the_other_while_it_moves().await;
    }

    #[tokio::test]
    async fn nodes_and_moves_exclude_each_other() {
        cases::moving::nodes_and_moves_exclude_each_other().await;
    }
}

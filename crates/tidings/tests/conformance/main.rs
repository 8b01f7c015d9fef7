//! What every backend of the engine must do, checked against a simple model.
//!
//! Each case takes a [`place::Place`], where an engine can be opened, closed and opened again. The
//! list of cases stands once, below; a backend is one line.

mod cases;
mod listed;
mod model;
mod place;
mod reader;
mod tidied;

use place::Place;

/// Runs every case on a backend.
macro_rules! conformance {
    ($backend:ident, $place:expr) => {
        mod $backend {
            use super::*;

            fn place() -> Place {
                $place
            }

            #[test]
            fn random_histories_agree_with_the_model() {
                cases::random::histories_agree_with_the_model(place);
            }

            #[test]
            fn requests_that_share_a_commit_end_as_if_each_came_alone() {
                cases::groups::requests_that_share_a_commit_end_as_if_each_came_alone(place);
            }

            conformance!(@async
                cases::random::a_history_waits_until_retention_has_read_all_feeds,
                cases::handoff::every_reader_ends_with_the_list_while_others_publish_and_change,
                cases::handoff::every_reader_ends_with_the_list_though_the_window_is_small,
                cases::handoff::a_reader_that_keeps_giving_up_gets_on,
                cases::handoff::a_reader_that_reads_nothing_holds_up_nobody_and_then_gets_all,
                cases::handoff::an_event_that_arrives_with_its_reader_is_seen,
                cases::handoff::a_reader_that_is_dropped_leaves_nothing_behind,
                cases::publish::the_first_receipt_is_given_again_for_a_repeat,
                cases::publish::an_id_with_other_content_is_a_conflict,
                cases::publish::a_batch_is_stored_whole_or_not_at_all,
                cases::publish::an_event_survives_its_caller,
                cases::publish::what_is_acknowledged_is_already_delivered,
                cases::publish::what_was_accepted_is_committed_by_close,
                cases::publish::every_close_waits_for_the_end,
                cases::publish::subscriptions_end_with_the_last_handle,
                cases::publish::subscriptions_can_be_ended_while_publishing_goes_on,
                cases::publish::numbers_come_back_as_they_were_sent,
                cases::publish::too_large_events_and_batches_are_refused,
                cases::publish::nothing_is_taken_after_close,
                cases::ids::one_batch_sends_one_event_to_many_owners,
                cases::ids::an_id_tells_nothing_about_other_owners,
                cases::ids::an_id_means_the_own_event_before_the_system_s,
                cases::ids::a_bulk_change_reaches_both_events_of_an_id,
                cases::ids::pages_hold_both_events_of_an_id,
                cases::owners::one_user_never_sees_the_events_of_another,
                cases::owners::system_events_are_seen_by_all_live_and_in_the_list,
                cases::owners::the_system_follows_its_own_feed,
                cases::start::each_unusable_cursor_is_reset_with_its_reason,
                cases::start::a_subscription_misses_nothing_from_the_moment_it_is_opened,
                cases::start::the_cursor_of_a_list_continues_in_the_stream,
                cases::changes::each_outcome_is_told_and_another_s_event_is_unknown,
                cases::changes::what_changes_nothing_takes_no_rev,
                cases::changes::a_change_reaches_every_stream_with_what_it_does_to_the_counts,
                cases::changes::a_bulk_change_comes_in_bounded_frames,
                cases::changes::a_reader_that_was_away_gets_more_changes_than_fit_a_piece,
                cases::changes::nothing_newer_than_what_was_seen_is_touched,
                cases::changes::an_unusable_selection_is_refused,
                cases::changes::publishes_go_on_between_the_steps_of_a_bulk_change,
                cases::changes::a_bulk_change_survives_its_caller,
                cases::changes::a_deleted_event_that_is_published_again_stays_deleted,
                cases::changes::an_event_can_be_published_back_as_it_is_listed,
                cases::system::what_one_user_does_to_a_system_event_is_nobody_else_s,
                cases::system::the_end_of_a_system_event_has_the_counts_of_each_reader,
                cases::system::what_many_users_did_to_a_system_event_goes_with_it,
                cases::system::the_types_are_those_of_what_a_user_sees,
                cases::retention::the_newest_are_kept_and_the_streams_show_what_goes,
                cases::retention::what_is_too_old_goes_though_there_are_too_many,
                cases::retention::each_severity_has_its_age,
                cases::retention::a_cursor_before_forgotten_deletions_is_too_old,
                cases::quota::an_owner_may_fill_the_quota_to_the_last_byte,
                cases::quota::a_backend_may_fill_as_much_again,
                cases::quota::what_is_refused_for_one_owner_is_stored_for_the_others,
                cases::quota::an_owner_has_only_so_many_deletions_remembered,
                cases::clocks::the_last_stored_are_kept_whatever_times_they_carry,
                cases::clocks::a_wall_clock_that_jumps_deletes_and_forgets_nothing,
                cases::clocks::an_event_with_an_impossible_time_ages_from_when_it_was_stored,
                cases::search::a_search_finds_what_the_model_finds_in_a_long_feed,
                cases::list::pages_hold_every_event_once_newest_first,
                cases::list::filters_choose_and_counts_do_not_follow_them,
                cases::list::pages_by_token_stay_put_while_events_arrive,
                cases::list::large_events_are_paged_without_a_gap,
                cases::list::the_rest_of_a_page_leaves_out_what_was_deleted,
            );
        }
    };
    (@async $($($path:ident)::+),+ $(,)?) => {
        $(conformance!(@one $($path)::+);)+
    };
    (@one $cases:ident::$module:ident::$name:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $cases::$module::$name(place()).await;
        }
    };
}

conformance!(sqlite, Place::sqlite());

//! What is known after a load.

use session_client::ApiError;

use crate::words::{Failure, Operation};

/// What is known about one user after a load.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LoadState<T> {
    user: Option<String>,
    pub(super) data: Option<T>,
    pub(super) failure: Option<Failure>,
    /// Counts the answers, so that two equal ones in a row differ.
    number: u32,
}

impl<T> Default for LoadState<T> {
    fn default() -> Self {
        Self {
            user: None,
            data: None,
            failure: None,
            number: 0,
        }
    }
}

impl<T> LoadState<T> {
    /// This answer if it is about `user`, otherwise one that knows nothing about `user`.
    pub(super) fn of_user(self, user: Option<String>) -> Self {
        if self.user == user {
            return self;
        }
        Self {
            user,
            number: self.number,
            ..Self::default()
        }
    }

    /// The answer after a load: new data, or the data so far with a failure. `None` if the load was abandoned.
    pub(super) fn then(self, loaded: Option<Result<T, ApiError>>) -> Self {
        let number = self.number.wrapping_add(1);
        match loaded {
            Some(Ok(data)) => Self {
                user: self.user,
                data: Some(data),
                failure: None,
                number,
            },
            Some(Err(error)) => Self {
                failure: Some(Failure::of(&error, Operation::LoadSession)),
                number,
                ..self
            },
            None => self,
        }
    }

    pub(super) fn belongs_to(&self, user: Option<&str>) -> bool {
        user.is_some() && self.user.as_deref() == user
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(user: &str) -> LoadState<u8> {
        LoadState::default().of_user(Some(user.into()))
    }

    #[test]
    fn a_failed_load_keeps_the_data() {
        let loaded = answer("1").then(Some(Ok(7)));
        let failed = loaded.clone().then(Some(Err(ApiError::Offline)));
        assert_eq!((loaded.data, failed.data), (Some(7), Some(7)));
        assert!(failed.failure.is_some());
    }

    #[test]
    fn an_abandoned_load_changes_nothing() {
        let loaded = answer("1").then(Some(Ok(7)));
        assert_eq!(loaded.clone().then(None), loaded);
    }

    #[test]
    fn two_equal_failures_differ() {
        let failed = answer("1").then(Some(Err(ApiError::Offline)));
        assert_ne!(failed.clone(), failed.then(Some(Err(ApiError::Offline))));
    }

    #[test]
    fn the_data_of_another_user_is_dropped() {
        let loaded = answer("1").then(Some(Ok(7)));
        assert!(loaded.belongs_to(Some("1")));
        assert!(!loaded.belongs_to(Some("2")) && !loaded.belongs_to(None));
        let other = loaded.of_user(Some("2".into()));
        assert_eq!((other.data, other.failure), (None, None));
        assert!(
            !LoadState::<u8>::default().belongs_to(None),
            "no one is signed in"
        );
    }
}

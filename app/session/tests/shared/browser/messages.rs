//! The messages between tabs: the test delivers, duplicates or loses them.

use session_client::TabMessage;

use super::TestBrowser;
use crate::shared::{JournalEvent, TestServer};

impl<S: TestServer> TestBrowser<S> {
    /// Number of messages under way.
    pub(crate) fn message_count(&self) -> usize {
        self.state.messages.borrow().len()
    }

    /// Every message that any tab ever sent.
    pub(crate) fn sent_messages(&self) -> Vec<String> {
        self.state.sent_messages.borrow().clone()
    }

    /// Delivers one message.
    pub(crate) fn deliver_message(&mut self, index: usize) {
        let (tab, text) = self.state.messages.borrow_mut().remove(index);
        self.deliver_text(tab, &text);
    }

    /// Delivers one message, and keeps it for a second delivery.
    pub(crate) fn duplicate_message(&mut self, index: usize) {
        let (tab, text) = self.state.messages.borrow()[index].clone();
        self.deliver_text(tab, &text);
    }

    /// Loses one message.
    pub(crate) fn lose_message(&mut self, index: usize) {
        self.state.messages.borrow_mut().remove(index);
    }

    /// Delivers a message that no tab need have sent.
    pub(crate) fn deliver_text(&mut self, tab: usize, text: &str) {
        let tabs = self.state.tabs.borrow();
        if let (Some(on_message), Some(message), false) = (
            &tabs[tab].on_message,
            TabMessage::from_text(text),
            tabs[tab].closed,
        ) {
            self.state
                .record(tab, JournalEvent::MessageReceived(message.clone()));
            on_message(message);
        }
        drop(tabs);
        self.poll_tasks();
    }

    /// Delivers all messages, in order.
    pub(crate) fn deliver_messages(&mut self) {
        while self.message_count() > 0 {
            self.deliver_message(0);
        }
    }

    /// Drops all messages under way.
    pub(crate) fn drop_messages(&mut self) {
        self.state.messages.borrow_mut().clear();
        self.state.sent_messages.borrow_mut().clear();
    }
}

//! `sign_in_failures`

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_failures")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Uuid,
    pub user_id: Option<Uuid>,
    pub failures: i32,
    pub next_attempt_at: i64,
    pub last_attempt_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

//! `ended_accounts`, without the column that orders its rows. Only [`revocation`](crate::revocation) reads
//! that column, and it differs between the databases.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ended_accounts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_epoch: i32,
    pub reason: String,
    pub ended_at: i64,
    pub pending: bool,
}

impl ActiveModelBehavior for ActiveModel {}

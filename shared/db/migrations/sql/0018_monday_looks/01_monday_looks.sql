-- When a synced client's items were last read from monday.com, all of them. A client without a row was never read.
create table monday_looks (
    client_id   uuid         primary key references users (id) on delete cascade,
    place       text[]       not null,  -- board and groups there, board here: where one is another, all is read anew
    looked_at   timestamptz,  -- when the last look that was finished began
    refused_at  timestamptz   -- when monday.com refused a look; null after one that was finished
);

-- Who shares a board at monday.com
create index idx_client_profiles_monday_board on client_profiles (monday_board_id) where monday_board_id is not null;

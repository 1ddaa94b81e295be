-- Images of ours in the library of the site that shows their post: what is there is not sent twice.
create table wordpress_pictures (
    post_id     uuid  not null references wordpress_posts (id) on delete cascade,
    file_id     uuid  not null,
    remote_url  text  not null,
    primary key (post_id, file_id)
);

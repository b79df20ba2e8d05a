/**
 * Every bound of the program, in one file. Sizes are bytes unless the name says
 * otherwise. Those marked (format) decide what is valid and can't change within a
 * format version; the others bind only what this program makes or accepts at once.
 */

const KIB = 1024;
const MIB = 1024 * 1024;

// Encoding (format)
export const CBOR_DEPTH_MAX = 16;
/** What is kept to encode in; a larger value gets room of its own. */
export const CBOR_ROOM_BYTES_KEPT = 64 * KIB;
export const CBOR_BYTES_MAX = 8 * MIB;

// Commits (format)
export const DEPS_MAX = 64;
export const GROUPS_MAX = 16;
export const GROUP_BYTES_MAX = 1 * MIB;
export const COMMIT_OPS_MAX = 8_192;
export const CAP_DEPTH_MAX = 8;
export const MESSAGE_BYTES_MAX = 64 * KIB;
export const NAME_BYTES_MAX = 255;
/** How far ahead of the local clock a stamp may be before it waits (a constant in genesis). */
export const CLOCK_AHEAD_MAX_MS = 120_000;

// Segments
export const FRAME_BYTES_MAX = 2 * MIB;
export const SEGMENT_BYTES_MAX = 8 * MIB;
export const SEALED_BLOCK_BYTES = 64 * KIB;
export const SEGMENT_HEADER_BYTES_MAX = 256;
/** The table of blocks at the front of a sealed segment, with its magic (format). */
export const SEALED_HEAD_BYTES_MAX = 4 * KIB;

// The log store
/** Raw blocks of segments kept for reading single commits. */
export const BLOCK_CACHE_BYTES = 4 * MIB;
export const SEALED_HEADS_CACHED_MAX = 256;
/** What the search for a whole record behind a bad one may checksum before it gives up. */
export const RESYNC_BYTES_MAX = 64 * MIB;
export const LOG_PROBLEMS_MAX = 1_000;

// What a commit of this program writes at most in one header and group
export const GROUP_BYTES_TARGET = 512 * KIB;
export const GROUP_OPS_TARGET = 4_096;
export const GROUP_COMMITS_MAX = 4_096;

// The tree
export const TREE_DEPTH_MAX = 64;
export const WORKNODES_MAX = 1_000_000;
export const REGISTER_BYTES_MAX = 64 * KIB;
export const TEXT_BYTES_MAX = 4 * MIB;
export const SET_ELEMENTS_MAX = 20_000;
export const FIELD_PATH_PARTS_MAX = 8;
/** A whole content up to this stands in the op itself; a larger one is a blob. */
export const WHOLE_INLINE_BYTES_MAX = 16 * KIB;
/** What this program puts into one text op. */
export const TEXT_OP_BYTES_TARGET = 256 * KIB;
export const NEW_FILE_BYTES_MAX = 1 * MIB;
export const SIMILARITY_CANDIDATES_MAX = 1_000;
export const MASS_CHANGE_NODES = 200;
export const MASS_CHANGE_SHARE = 0.2;
export const BASES_KEPT = 8;
export const BASES_KEPT_MS = 24 * 3_600_000;
export const SAVED_KEPT_MS = 7 * 24 * 3_600_000;
export const SAVED_BYTES_MAX = 256 * MIB;

// Reading files (src/tree)
/** A longer line marks code as minified or generated. */
export const LINE_BYTES_MAX = 2_000;
/** How much of a new file is searched for keys and tokens. */
export const SECRET_HEAD_BYTES = 64 * KIB;
/** What is parsed as YAML at once: front matter, `wn.yaml`. In UTF-16 units. */
export const YAML_CHARS_MAX = 256 * KIB;
/** What bounds the nesting handed to the YAML library, which crashes far deeper: per line, per line, per text. */
export const YAML_INDICATORS_MAX = 64;
export const YAML_INDENT_MAX = 128;
export const YAML_BRACKETS_MAX = 256;

// Blobs: content-defined chunks
export const CHUNK_BYTES_MIN = 48 * KIB;
export const CHUNK_BYTES_AVG = 128 * KIB;
export const CHUNK_BYTES_MAX = 240 * KIB;

// Sync
export const SYNC_FRAME_BYTES_MAX = 256 * KIB;
export const SYNC_CREDIT_BYTES = 1 * MIB;
/** The same once chunks are asked for: several are made durable while as many are on their way. */
export const SYNC_CHUNK_CREDIT_BYTES = 4 * MIB;
export const SYNC_UNPROVEN_FRAME_BYTES = 64 * KIB;
export const SYNC_WANTS_PER_PAGE = 4_096;
export const PENDING_COMMITS_MAX = 10_000;
export const PENDING_BYTES_MAX = 64 * MIB;

// The command line
export const LIST_LIMIT_DEFAULT = 50;
export const LOCK_TIMEOUT_MS = 5_000;
export const QUERY_BYTES_MAX = 4 * KIB;
/** Parentheses and `not`s within each other. */
export const QUERY_DEPTH_MAX = 32;
export const QUARANTINE_FILES_MAX = 1_000;
export const ID_PREFIX_CHARS_MIN = 4;

// Fields (format)
/** Lists and maps within each other in a field's value; its op and its index record add to it. */
export const VALUE_DEPTH_MAX = 8;

// Capabilities (format)
export const CAP_BYTES_MAX = 8 * KIB;
export const CAP_FIELDS_MAX = 64;
export const CAP_GRANTS_PER_COMMIT_MAX = 64;
/** Ids in a home, the root's included; creation chains outgrow the tree's depth through moves. */
export const HOME_IDS_MAX = 256;

// Capabilities: what this program keeps and hands out
export const CAP_SIGNATURES_CACHED_MAX = 4_096;
export const TICKET_BYTES_MAX = 16 * KIB;
export const TICKET_ADDRESSES_MAX = 8;
export const TICKET_ADDRESS_BYTES_MAX = 1 * KIB;
export const RECOVERY_FILE_CHARS_MAX = 4 * KIB;

// The ports on a real machine
/** Files a storage keeps open for appending. */
export const OPEN_FILES_MAX = 32;
/** What is read of the working directory at once; Node reads no more at a time. */
export const WORKDIR_FILE_BYTES_MAX = 2_147_483_647;
/** A key, a passphrase or a device's settings. */
export const HOME_FILE_BYTES_MAX = 64 * KIB;
/** LMDB's own bound at its page size of 4,096. */
export const INDEX_KEY_BYTES_MAX = 1_978;
/** How often one write to the index is tried that LMDB gave up by a fault of its own. */
export const INDEX_WRITE_TRIES_MAX = 4;
/** Address space for the index; the file is as large as what is in it. */
export const INDEX_MAP_BYTES = 16 * 1024 * MIB;

// Sync sessions and bundles (src/sync): these bind a peer, before anything is allocated
/** Payload bytes of one run: a run ends at a signature, so it can't always be cut at will. */
export const SYNC_RUN_BYTES_MAX = FRAME_BYTES_MAX + 1 * MIB;
/** Where a store that cuts runs best cuts them. */
export const SYNC_RUN_BYTES_TARGET = 64 * KIB;
export const SYNC_RUN_COMMITS_MAX = 16_384;
/** One message put together again from its parts. */
export const SYNC_MESSAGE_BYTES_MAX = SYNC_RUN_BYTES_MAX + SYNC_FRAME_BYTES_MAX;
export const SYNC_MESSAGE_ITEMS_MAX = 65_536;
/** Credit is given back in steps of at least this: what is owed below it never starves a sender. */
export const SYNC_CREDIT_STEP_BYTES = SYNC_CREDIT_BYTES / 8;
export const SYNC_HEADS_MAX = 32_768;
export const SYNC_HEADS_PER_PAGE = 2_048;
/** Branches of one forked log that a peer is told of. */
export const SYNC_BRANCHES_MAX = 16;
export const SYNC_VERSIONS_MAX = 16;
export const SYNC_CREDENTIAL_BYTES_MAX = 32 * KIB;
export const SYNC_ABSENT_BLOBS_MAX = 4_096;
/** Of those, how many are asked for again at a time where a session stays. */
export const SYNC_ASKED_AGAIN_MAX = 64;
export const SYNC_REJECTED_MAX = 256;
/** Frames of a type that only newer programs know, ignored in one session. */
export const SYNC_IGNORED_MAX = 1_024;
export const SYNC_REASON_CHARS_MAX = 500;
export const SYNC_FORKS_REPORTED_MAX = 100;
export const SYNC_ADMISSION_MS = 10_000;
export const SYNC_IDLE_MS = 60_000;
/** How long the last frames may take to leave after a session has ended. */
export const SYNC_CLOSE_MS = 10_000;

// Text: what a diff tries before it replaces a whole hunk
export const DIFF_EDITS_MAX = 1_000;
export const DIFF_STEPS_MAX = 8_000_000;
export const DIFF_LINES_MAX = 200_000;
export const DIFF_CONTEXT_LINES = 3;
/** Code units looked at on either side of a place, to tell whether it splits a grapheme. */
export const GRAPHEME_LOOKAROUND_MAX = 1_024;

// Batches of commands, and what is read from standard input whole
export const BATCH_LINE_BYTES_MAX = 1 * MIB;
export const BATCH_GROUP_LINES_MAX = 512;
export const STDIN_BYTES_MAX = 8 * MIB;

// The record of the working directory
export const TREE_JOURNAL_BYTES_MAX = 256 * KIB;
export const TREE_RECORD_BYTES_MAX = 512 * MIB;

// Threads that look at files ahead of a scan (src/node/lookahead.ts)
/** Below this many, a thread's start costs more than it saves. */
export const LOOK_AHEAD_FILES_MIN = 10_000;
export const LOOK_AHEAD_THREADS_MAX = 3;

// Ignore files
export const IGNORE_PATTERNS_MAX = 10_000;
export const IGNORE_PATTERN_CHARS_MAX = 1_000;
/** Double stars between slashes of one pattern: matching is a polynomial of this degree. */
export const IGNORE_GLOBSTARS_MAX = 2;
/** Paths whose match is remembered, per folder with ignore files. */
export const IGNORE_CACHED_PATHS_MAX = 10_000;

// Ids as people write them
/** How many ids of one beginning are looked at before it counts as ambiguous. */
export const ID_PREFIX_MATCHES_MAX = 256;

// Settings of a repository
export const SETTING_CHARS_MAX = 1_024;

// Channels over a duplex of bytes (src/node/framing.ts) and the ways to get one
/** What may be under way in one direction; more than what a session sends on credit. */
export const CHANNEL_CREDIT_BYTES = 2 * MIB;
export const CHANNEL_CREDIT_STEP_BYTES = CHANNEL_CREDIT_BYTES / 8;
/** How long a peer may read nothing of what waits for it. */
export const CHANNEL_STALL_MS = 30_000;
/** Until both sides of an SSH connection of ours have proven who they are. */
export const LOGIN_MS = 10_000;
export const LOGIN_ATTEMPTS_MAX = 4;
/** Raw bytes that a peer may send beyond what its frames account for: handshake and overhead. */
export const CHANNEL_SLACK_BYTES = 256 * KIB;
/** How long a closed connection waits for the other side to hang up too. */
export const CHANNEL_LINGER_MS = 5_000;
export const CONNECT_MS = 20_000;
/** What a listener holds at a time: connections, those of one address, those not yet proven. */
export const ACCEPTED_MAX = 128;
export const ACCEPTED_PER_ADDRESS_MAX = 16;
export const ACCEPTED_UNPROVEN_MAX = 64;
/** Until a host has let us in whose user may have to type a passphrase. */
export const SSH_LOGIN_MS = 120_000;
export const KNOWN_HOSTS_BYTES_MAX = 4 * MIB;
export const SSH_KEY_FILE_BYTES_MAX = 64 * KIB;
/** How long sessions under way may take to end once `wn serve` is told to stop. */
export const SERVE_DRAIN_MS = 1_500;
/** What is kept of what the other side's program says on its standard error. */
export const REMOTE_STDERR_BYTES_MAX = 8 * KIB;
/** A checkpoint as it is kept on disk: about 150 bytes for each log. */
export const KEPT_CHECKPOINT_BYTES_MAX = 8 * MIB;
/** How long the other side's program may take to end after the session has. */
export const REMOTE_EXIT_MS = 30_000;

// The relay (docs/RELAY.md): what one who calls may take, before and after a proof
/** Until a connection has proven a key or shown a token. */
export const RELAY_PROOF_MS = 10_000;
/** Connections of one address (a /64 of IPv6) that aren't piped, listening or proven yet. */
export const RELAY_PENDING_PER_ADDRESS_MAX = 64;
export const RELAY_PER_ADDRESS_MAX = 256;
export const RELAY_CONNECTIONS_MAX = 2_048;
/** Pipes that one calling key has at a time, and that lead to one listening key. */
export const RELAY_SESSIONS_PER_KEY_MAX = 8;
export const RELAY_SESSIONS_PER_LISTENER_MAX = 64;
/** How long a one-time key is good. */
export const RELAY_TOKEN_MS = 30_000;
export const RELAY_IDLE_MS = 120_000;
/** How long a client waits for a relay's answer; a token's life passes within it. */
export const RELAY_ANSWER_MS = RELAY_TOKEN_MS + 5_000;
/** A listener speaks this often, well within the idle time. */
export const RELAY_PING_MS = 40_000;
/** What is held of one direction of a pipe while its reader is slow, and of all pipes. */
export const RELAY_PIPE_BYTES = 64 * KIB;
export const RELAY_BUFFERED_BYTES_MAX = 64 * MIB;
/** The longest record from one that has proven nothing yet. */
export const RELAY_UNPROVEN_BYTES_MAX = 256;
/** How long sessions under way may take to end once the relay is told to stop. */
export const RELAY_DRAIN_MS = 10_000;
/** Log lines of one kind in a second; the rest are counted. */
export const RELAY_LOG_LINES_PER_SECOND = 20;
/** A device that serves through a relay tries it again after this, doubling up to the second. */
export const RELAY_RETRY_MS_MIN = 500;
export const RELAY_RETRY_MS_MAX = 60_000;

// Daemons that tell of themselves by HTTP, and the anchor (src/cli/anchor)
export const HTTP_CONNECTIONS_MAX = 32;
export const HTTP_HEAD_BYTES_MAX = 8 * KIB;
export const HTTP_REQUEST_MS = 5_000;
/** What an anchor takes unless its configuration says otherwise. */
export const ANCHOR_CONNECTIONS_MAX = 1_024;
export const ANCHOR_PER_ADDRESS_MAX = 64;
export const ANCHOR_UNPROVEN_MAX = 64;
/** For each device, with what may come at once after a silence. */
export const ANCHOR_BYTES_PER_SECOND = 128 * MIB;
export const ANCHOR_BYTES_BURST = 256 * MIB;
export const ANCHOR_SIGNATURES_PER_SECOND = 2_000;
export const ANCHOR_SIGNATURES_BURST = 20_000;
/** Workspaces kept open that nobody is connected to. */
export const ANCHOR_IDLE_OPEN_MAX = 32;
export const ANCHOR_CONFIG_BYTES_MAX = 64 * KIB;
export const ANCHOR_REFUSED_DEVICES_MAX = 1_024;
/** How long exchanges under way may take to end once the anchor is told to stop. */
export const ANCHOR_DRAIN_MS = 9_000;
/** Lines about refusals in a second; those beyond are counted. */
export const ANCHOR_REFUSAL_LINES_PER_SECOND = 20;
export const LOG_TEXT_CHARS_MAX = 500;

// Sessions that stay (src/sync/live.ts), and those who keep them up
/** How often one with nothing to say gives a sign of life, in the time after which none is taken for gone. */
export const LIVE_SIGNS_PER_IDLE_TIME = 3;
/** What comes within this goes out together to all who follow. */
export const FORWARD_MS = 100;
/** How often a follower looks for what was committed here. */
export const FOLLOW_LOOK_MS = 100;
export const FOLLOW_RETRY_MS_MIN = 500;
export const FOLLOW_RETRY_MS_MAX = 30_000;

// Many remotes at once, and trying again (src/cli/exchanges.ts, src/cli/retry.ts)
export const REMOTES_AT_ONCE_MAX = 8;
/** The longest first wait, and the longest of all; each is a random share of it. */
export const RETRY_MS_MIN = 500;
export const RETRY_MS_MAX = 30_000;
export const RETRIES_MAX = 64;

// Mailboxes at a relay
export const MAILBOX_ITEM_BYTES_MAX = 256 * KIB;
/** The smallest of the sizes that items are padded to; each other is twice the one before. */
export const MAILBOX_ITEM_BYTES_MIN = 4 * KIB;
export const MAILBOX_BYTES_MAX = 16 * MIB;
export const MAILBOX_ITEMS_MAX = 1_024;
export const MAILBOX_KEPT_MS = 14 * 24 * 3_600_000;
/** All boxes of a relay together, and what one address may put there in a day. */
export const MAILBOXES_BYTES_MAX = 1_024 * MIB;
export const MAILBOX_BYTES_PER_ADDRESS_PER_DAY = 64 * MIB;
export const MAILBOX_CONNECTIONS_MAX = 128;
/** Between two requests, and for one to arrive whole. */
export const MAILBOX_REQUEST_MS = 30_000;
/** Other devices whose box to this one is looked into. */
export const MAILBOX_SENDERS_MAX = 256;

// Schedules (src/cli/schedule)
export const SCHEDULE_EVERY_MS = 15 * 60_000;
/** How long a remote may be out of reach before a run tells of it. */
export const SCHEDULE_TOLERATE_MS = 24 * 3_600_000;
export const SCHEDULE_EVERY_MS_MIN = 60_000;
export const SCHEDULE_EVERY_MS_MAX = 7 * 24 * 3_600_000;
/** Vixie's cron and cronie cut a command at 1,000 bytes (MAX_COMMAND). */
export const CRON_LINE_BYTES_MAX = 990;
export const CRONTAB_BYTES_MAX = 4 * MIB;

// Raft (src/consensus/raft): defaults of its configuration, and what a member holds at a time
export const RAFT_MSG_BYTES_MAX = 1 * MIB;
export const RAFT_APPLYING_BYTES_MAX = 16 * MIB;
export const RAFT_UNCOMMITTED_BYTES_MAX = 64 * MIB;
export const RAFT_INFLIGHT_MSGS_MAX = 256;
export const RAFT_INFLIGHT_BYTES_MAX = 16 * MIB;
/** Reads that wait for a quorum's confirmation, or for the first commit of the leader's term. */
export const RAFT_READS_MAX = 16_384;
/** Members that one change adds, removes or turns. */
export const RAFT_CONF_CHANGES_MAX = 64;

// The relay over WebSocket and HTTP proxies (docs/RELAY.md)
/** A message to a relay; one from a relay may hold an item of a mailbox. */
export const RELAY_MESSAGE_BYTES_MAX = RELAY_PIPE_BYTES;
export const RELAY_ANSWER_MESSAGE_BYTES_MAX = MAILBOX_ITEM_BYTES_MAX + KIB;
/** In how many frames a message may come, and in how many pieces of the network a frame. */
export const RELAY_MESSAGE_FRAMES_MAX = 64;
export const RELAY_FRAME_PIECES_MAX = 4_096;

// Discovery in the local network (src/sync/lan)
/** Announcements of this workspace that one look uses; what is beyond is told. */
export const PEERS_MAX = 32;
/** Announcements beyond them that are told apart, so that they can be counted. */
export const LAN_COUNTED_MAX = 1_024;
/** The longest look, and how long it goes on after the last peer that was new: a query is repeated after 1 s. */
export const LAN_LOOK_MS = 5_000;
export const LAN_QUIET_MS = 1_300;
/** Announcements, whose ever, that one look examines. */
export const LAN_SIGHTINGS_MAX = 10_000;
/** Peers that are dialled at a time; the time for a connection, for a login, and for all places of a peer. */
export const LAN_DIALS_AT_ONCE_MAX = 3;
export const LAN_CONNECT_MS = 2_000;
export const LAN_LOGIN_MS = 5_000;
export const LAN_REACH_MS = 12_000;
/** Records of one packet, and strings of one record, that are looked at. */
export const MDNS_RECORDS_MAX = 256;
export const MDNS_STRINGS_MAX = 8;
/** Networks that the machine is in, and how often is looked whether they are others now. */
export const MDNS_INTERFACES_MAX = 8;
export const MDNS_INTERFACES_LOOK_MS = 5_000;
/** Between two answers to the same network (RFC 6762, 6). */
export const MDNS_ANSWER_MS = 1_000;

// Strong commits (src/consensus/strong): what a request and an entry may hold (format)
export const STRONG_REQUEST_BYTES_MAX = 256 * KIB;
export const STRONG_ACTIONS_MAX = 1_024;
export const STRONG_EXPECTS_MAX = 1_024;
export const STRONG_CANDIDATES_MAX = 256;
/** Requests that an author signs together. */
export const STRONG_SIGNED_TOGETHER_MAX = 65_536;
export const STRONG_LEASE_MS_MIN = 1_000;
export const STRONG_LEASE_MS_MAX = 24 * 3_600_000;
/** The text of a field's path. */
export const STRONG_PATH_BYTES_MAX = 1 * KIB;
export const STRONG_ADDRESS_BYTES_MAX = 1 * KIB;
/** Voters, outgoing or learners of a configuration. */
export const STRONG_MEMBERS_MAX = 32;
/** How long before the entry's time a request may have been stamped, and how long after. */
export const STRONG_STAMP_AGE_MAX_MS = 24 * 3_600_000;
/** An entry's data: the request, its author's signature and the path to it. */
export const STRONG_ENTRY_BYTES_MAX = STRONG_REQUEST_BYTES_MAX + 4 * KIB;

// Strong commits: what the evaluation keeps at hand (format)
/** Requests whose answer is remembered; of each author's older ones only the latest stamp. */
export const STRONG_ANSWERED_MAX = 262_144;
export const STRONG_FIELDS_PER_NODE_MAX = 512;
/** A longer value is kept as its hash. */
export const STRONG_VALUE_KEPT_BYTES = 1 * KIB;

// Strong commits: what this program keeps and hands out
export const STRONG_SIGNATURES_CACHED_MAX = 4_096;
export const STRONG_CHAINS_CACHED_MAX = 1_024;
export const STRONG_STEPS_CACHED_MAX = 16_384;
/** Votes of one voter that wait for others, in one configuration. */
export const STRONG_VOTES_KEPT_MAX = 1_024;
export const STRONG_RECEIPT_BYTES_MAX = CBOR_BYTES_MAX;

// The strong ledger on disk
/** What is read of it at once; a record is shorter. */
export const STRONG_LEDGER_WINDOW_BYTES = 1 * MIB;
/** How much is evaluated anew on opening, at most: a checkpoint is written before it is more. */
export const STRONG_CHECKPOINT_ENTRIES = 4_096;
export const STRONG_CHECKPOINT_BYTES = 4 * MIB;
/** Entries and certificates that one call takes in. */
export const STRONG_TAKEN_BYTES_MAX = 64 * MIB;

// A member of a consensus group at work (src/consensus/driver)
export const RAFT_ELECTION_TICKS = 10;
export const RAFT_HEARTBEAT_TICKS = 1;
/** A record of the write-ahead log: an entry with its frame. */
export const RAFT_RECORD_BYTES_MAX = 2 * MIB;
/** Entries kept at hand behind those that the ledger holds. */
export const RAFT_TAIL_ENTRIES = 4_096;
/** At this length the write-ahead log is written anew, without what the ledger holds. */
export const RAFT_WAL_BYTES_TARGET = 16 * MIB;
export const STRONG_FRAME_BYTES_MAX = 4 * MIB;
/** Votes in one batch, the newest; the others' certificates are covered by these. */
export const STRONG_BALLOTS_PER_BATCH_MAX = 16;
export const STRONG_TALLIES_MAX = 8;
export const STRONG_FORWARDED_TOGETHER_MAX = 256;
/** How far ahead of a follower's clock a leader's may be. */
export const STRONG_LEADER_AHEAD_MS = 2 * 60_000;
export const STRONG_RECORDS_BYTES = 1 * MIB;
/** Requests under way at one member. */
export const STRONG_WAITING_MAX = 4_096;
/** Certificates that came before the entries they cover. */
export const STRONG_CERTIFICATES_WAITING_MAX = 256;

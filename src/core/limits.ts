/**
 * Every bound of the program, in one file. Sizes are bytes unless the name says
 * otherwise. Those marked (format) decide what is valid and can't change within a
 * format version; the others bind only what this program makes or accepts at once.
 */

const KIB = 1024;
const MIB = 1024 * 1024;

// Encoding (format)
export const CBOR_DEPTH_MAX = 16;
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
export const NEW_FILE_BYTES_MAX = 1 * MIB;
export const SIMILARITY_CANDIDATES_MAX = 1_000;
export const MASS_CHANGE_NODES = 200;
export const MASS_CHANGE_SHARE = 0.2;
export const BASES_KEPT = 8;
export const BASES_KEPT_MS = 24 * 3_600_000;
export const SAVED_KEPT_MS = 7 * 24 * 3_600_000;
export const SAVED_BYTES_MAX = 256 * MIB;

// Blobs: content-defined chunks
export const CHUNK_BYTES_MIN = 48 * KIB;
export const CHUNK_BYTES_AVG = 128 * KIB;
export const CHUNK_BYTES_MAX = 240 * KIB;

// Sync
export const SYNC_FRAME_BYTES_MAX = 256 * KIB;
export const SYNC_CREDIT_BYTES = 1 * MIB;
export const SYNC_UNPROVEN_FRAME_BYTES = 64 * KIB;
export const SYNC_WANTS_PER_PAGE = 4_096;
export const PENDING_COMMITS_MAX = 10_000;
export const PENDING_BYTES_MAX = 64 * MIB;

// The command line
export const LIST_LIMIT_DEFAULT = 50;
export const LOCK_TIMEOUT_MS = 5_000;
export const QUERY_BYTES_MAX = 4 * KIB;
export const QUARANTINE_FILES_MAX = 1_000;
export const ID_PREFIX_CHARS_MIN = 4;

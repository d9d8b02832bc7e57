#!/usr/bin/env bash
# Builds librdkafka.a from the pinned source and prints the folder that then holds
# lib/librdkafka.a, include/librdkafka/*.h and LICENSES.txt.
#
#   build_librdkafka.sh            as it goes into the program, for all presets but asan
#   build_librdkafka.sh address    with the address sanitizer: what it frees too early, or what we
#                                  hand it, is seen where it happens. RETAILPULSE_CC: the preset's own
#
# The result is cached under a hash of the pins, this script and the C compiler: it is built once
# per machine (half a minute on two cores), not once per clone or preset.
set -euo pipefail

sanitizer=${1:-}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${RETAILPULSE_CACHE:-${HOME:?}/.cache/retailpulse}
export CC=${RETAILPULSE_CC:-gcc}

read -r _ source < <("$here/fetch.sh" librdkafka)
key=$( { cat "$here/build_librdkafka.sh"; basename "$source"; "$CC" -v 2>&1; uname -m; echo "$sanitizer"; } |
  sha256sum | cut -c1-12)
target="$cache/librdkafka-built-$key"
mkdir -p "$cache"
exec 9>"$cache/.librdkafka.lock"
flock 9  # two presets configured at once: the second waits and finds the result

if [[ ! -f $target/lib/librdkafka.a ]]; then
  printf 'third_party: building librdkafka (once, about a minute)\n' >&2
  work=$(mktemp -d "$cache/.librdkafka.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  cp -r "$source/." "$work/src"
  cd "$work/src"
  # Mended here until a release has it (upstream issue 5280): partitions without a leader in a fetch's
  # answer are counted but not written, and the client then reads leaders from memory that holds
  # something else. Seen as METADATAUPDATE warnings with wild numbers, and as a crash, when a broker goes down.
  sed -i 's/^ *changed_topic++;$/md->topics[changed_topic].partition_cnt = changed_partition;\n&/' src/rdkafka_fetcher.c
  [[ $(grep -c '^md->topics\[changed_topic\].partition_cnt' src/rdkafka_fetcher.c) == 1 ]] ||
    { echo 'librdkafka: the fetcher is another one; see upstream issue 5280' >&2; exit 1; }
  # The same (upstream issue 5301): a broker that is stopping or has just started may know of no broker at
  # all, not even itself. The client then forgot every broker, bootstrap ones too, and read no more.
  sed -i 's/^ *if (!has_learned_brokers) {$/        if (!has_learned_brokers || md->broker_cnt == 0) {/' src/rdkafka_metadata.c
  [[ $(grep -c 'has_learned_brokers || md->broker_cnt == 0' src/rdkafka_metadata.c) == 1 ]] ||
    { echo 'librdkafka: the metadata code is another one; see upstream issue 5301' >&2; exit 1; }
  # And (no upstream issue known): whoever asks for offsets looks up the leaders itself, while the client's own
  # thread may hear of a leader, answer, and free what the asker still uses. Seen as a crash when brokers came and
  # went; kafka/list_offsets_test shows it. Now the client's own thread looks from the first time on, woken like
  # each later time, and a timeout that falls before that is not lost.
  sed -i -e '/^ *rd_kafka_enq_once_add_source(rko->rko_u.leaders.eonce, "timeout timer");$/a\
        rd_kafka_enq_once_t *eonce = rko->rko_u.leaders.eonce; /* rko may be gone when the timer runs */\
        rd_kafka_enq_once_add_source(eonce, "first");' \
    -e '/^ *if (rd_kafka_topic_partition_list_query_leaders_async_worker(rko) ==$/,/^ *rd_kafka_op_destroy(rko);/c\
        rd_kafka_enq_once_trigger(eonce, RD_KAFKA_RESP_ERR_NO_ERROR, "first");' \
    -e '/^        if (rko->rko_err)$/{N;/Timeout or ERR__DESTROY/i\
        if (!rko->rko_err \&\& rd_timeout_expired(rd_timeout_remains(rko->rko_u.leaders.ts_timeout)))\
                rko->rko_err = RD_KAFKA_RESP_ERR__TIMED_OUT;
    }' src/rdkafka_partition.c
  [[ $(grep -c -e '(eonce, "first")' -e '(eonce, RD_KAFKA_RESP_ERR_NO_ERROR, "first")' \
    -e 'rd_timeout_remains(rko->rko_u.leaders.ts_timeout)))' \
    -e 'query_leaders_async_worker(rko)' src/rdkafka_partition.c) == 4 ]] ||
    { echo 'librdkafka: the look-up of leaders is another one; see list_offsets_test' >&2; exit 1; }
  # And (a FIXME in its source; confluent-kafka-python's issue 689): behind a batch whose checksum is wrong it goes on
  # somewhere within that batch, takes what stands there for a batch's head, and a size from it that leaves 64 bits ends
  # the process. Now it goes on behind the batch, and a part that would end before the reader is none;
  # kafka/record_faults_test shows it.
  sed -i 's/^ *rd_kafka_buf_skip_to(rkbuf, crc_len);$/rd_kafka_buf_skip_to(rkbuf, len_start + hdr.Length);/' \
    src/rdkafka_msgset_reader.c
  sed -i -E 's/^( *if \(unlikely\()(slice|orig)->start \+ size > (slice|orig)->end\)\)$/\1size > \2->end - \2->start ||\
                     \2->start + size < rd_slice_abs_offset(\2)))/' src/rdbuf.c
  [[ $(grep -c '^rd_kafka_buf_skip_to(rkbuf, len_start + hdr.Length);$' src/rdkafka_msgset_reader.c) == 1 &&
    $(grep -c -- '->start + size < rd_slice_abs_offset(' src/rdbuf.c) == 2 ]] ||
    { echo 'librdkafka: the reading of batches is another one; see record_faults_test' >&2; exit 1; }
  # And (no upstream issue known): a gzip text that ends too early was unpacked for ever; the same test.
  sed -i 's/^ *case Z_MEM_ERROR:$/&\n                        case Z_BUF_ERROR:/' src/rdgz.c
  [[ $(grep -c '^ *case Z_BUF_ERROR:$' src/rdgz.c) == 1 ]] ||
    { echo 'librdkafka: the reading of gzip is another one; see record_faults_test' >&2; exit 1; }
  # The library goes into a hardened, position independent executable.
  export CFLAGS="-O2 -fPIC -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
    -D_FORTIFY_SOURCE=2 -ffile-prefix-map=$work/src=librdkafka"
  CFLAGS=$(tr -s '\n ' ' ' <<<"$CFLAGS")
  [[ $(uname -m) == x86_64 ]] || CFLAGS=${CFLAGS/-fcf-protection=full/}
  if [[ -n $sanitizer ]]; then
    CFLAGS="-O1 -g -fno-omit-frame-pointer -fPIC -fsanitize=$sanitizer -ffile-prefix-map=$work/src=librdkafka"
    export LDFLAGS="-fsanitize=$sanitizer"  # of configure's own trials
  fi
  # pthreads, not C11 threads: the thread sanitizer sees the former only.
  # Named features are required: a missing one fails here instead of at a customer's broker.
  # lz4 is the bundled copy (same version as Debian's). --enable-static is left out: it would say
  # that OpenSSL and curl are static too, and then the system's CA settings are not honoured.
  { ./configure --disable-debug-symbols --disable-c11threads --disable-lz4-ext \
      --enable-ssl --enable-zlib --enable-zstd --enable-gssapi --enable-curl &&
    for feature in SSL ZLIB ZSTD SASL_CYRUS CURL SASL_SCRAM OAUTHBEARER_OIDC; do
      grep -q "define WITH_$feature 1" config.h || { echo "librdkafka: no $feature"; exit 1; }
    done &&
    make -j"${RETAILPULSE_JOBS:-2}" -C src librdkafka.a
  } >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }
  mkdir -p "$work/out/lib" "$work/out/include/librdkafka"
  cp src/librdkafka.a "$work/out/lib/"
  cp src/rdkafka.h src/rdkafka_mock.h "$work/out/include/librdkafka/"
  cp LICENSES.txt "$work/out/"
  mv -T "$work/out" "$target"
fi
printf '%s\n' "$target"

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's own client, run from its source: every codec that a producer has, and a reader that knows them all.
 * `write <bootstrap> <topic> <partitions>` | `read <bootstrap> <topic> <partitions> <isolation level>`
 */
public final class Logs {
  private static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");

  public static void main(String[] args) throws Exception {
    int partitions = Integer.parseInt(args[3]);
    if (args[0].equals("write")) write(args[1], args[2], partitions);
    else read(args[1], args[2], partitions, args[4]);
  }

  /** Batches of 8 KiB of each codec, one after the other, in every partition. */
  private static void write(String bootstrap, String topic, int partitions) throws Exception {
    Random random = new Random(1);
    for (String codec : CODECS) {
      Properties config = new Properties();
      config.putAll(Map.of("bootstrap.servers", bootstrap, "compression.type", codec, "batch.size", "8192",
          "linger.ms", "100", "enable.idempotence", codec.equals("gzip") ? "false" : "true"));
      try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = 0; i < 400; i++) sent.add(producer.send(record(random, codec, topic, i % partitions, i)));
        for (Future<RecordMetadata> answer : sent) answer.get();
      }
    }
  }

  private static ProducerRecord<byte[], byte[]> record(Random random, String codec, String topic, int partition, int i) {
    byte[] key = switch (i % 5) {
      case 0 -> null;
      case 1 -> new byte[0];
      default -> (codec + "-" + i).getBytes();
    };
    StringBuilder text = new StringBuilder(codec).append(' ').append(i);
    for (int words = random.nextInt(40); words > 0; words--) text.append(" word-").append(random.nextInt(50));
    byte[] value = switch (i % 7) {
      case 0 -> null;
      case 1 -> new byte[0];
      default -> text.toString().getBytes();
    };
    RecordHeaders headers = new RecordHeaders();
    if (i % 3 > 0) headers.add("n", Integer.toString(i).getBytes()).add("n", new byte[0]);
    if (i % 3 > 1) headers.add("nothing", null).add("schlüssel", "größe".getBytes());
    // Not in order, and one from before 1970 would be refused: 0 is the oldest.
    long timestamp = i % 11 == 0 ? 0L : 1_700_000_000_000L + random.nextInt(1_000_000);
    return new ProducerRecord<>(topic, partition, timestamp, key, value, headers);
  }

  /** One line a record, in the order of each partition. */
  private static void read(String bootstrap, String topic, int partitions, String isolation) {
    Properties config = new Properties();
    config.putAll(Map.of("bootstrap.servers", bootstrap, "isolation.level", isolation, "enable.auto.commit", "false",
        "check.crcs", "true"));
    StringBuilder out = new StringBuilder();
    try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      for (TopicPartition tp : IntStream.range(0, partitions).mapToObj(p -> new TopicPartition(topic, p)).toList()) {
        consumer.assign(List.of(tp));
        consumer.seekToBeginning(List.of(tp));
        long end = consumer.endOffsets(List.of(tp)).get(tp);
        while (consumer.position(tp) < end) {
          for (var record : consumer.poll(Duration.ofMillis(200))) out.append(line(record));
        }
      }
    }
    System.out.print(out);
  }

  private static String line(ConsumerRecord<byte[], byte[]> record) {
    StringBuilder headers = new StringBuilder();
    record.headers().forEach(h -> headers.append(h.key()).append('=').append(hex(h.value())).append(','));
    return String.format(Locale.ROOT, "%d@%d %s %d %s %s %s%n", record.partition(), record.offset(),
        record.timestampType(), record.timestamp(), hex(record.key()), hex(record.value()), headers);
  }

  private static String hex(byte[] bytes) {
    return bytes == null ? "null" : "'" + java.util.HexFormat.of().formatHex(bytes) + "'";
  }
}

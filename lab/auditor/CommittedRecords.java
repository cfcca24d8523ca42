import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Every committed record of a topic up to the ends that it has now, read by Kafka's own consumer, run from its source:
 * `<bootstrap> <topic>`. A line a record: partition, offset, key and value in Base64, `-` for none.
 */
public final class CommittedRecords {
  public static void main(String[] args) {
    Properties config = new Properties();
    config.putAll(Map.of("bootstrap.servers", args[0], "isolation.level", "read_committed", "enable.auto.commit", "false"));
    StringBuilder out = new StringBuilder();
    try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      for (var info : consumer.partitionsFor(args[1])) {
        TopicPartition tp = new TopicPartition(args[1], info.partition());
        consumer.assign(List.of(tp));
        consumer.seekToBeginning(List.of(tp));
        long end = consumer.endOffsets(List.of(tp)).get(tp);
        while (consumer.position(tp) < end) {
          for (var record : consumer.poll(Duration.ofMillis(200))) {
            if (record.offset() >= end) break;
            out.append(tp.partition()).append(' ').append(record.offset()).append(' ');
            out.append(text(record.key())).append(' ').append(text(record.value())).append('\n');
          }
        }
      }
    }
    System.out.print(out);
  }

  private static String text(byte[] bytes) {
    return bytes == null ? "-" : Base64.getEncoder().encodeToString(bytes);
  }
}

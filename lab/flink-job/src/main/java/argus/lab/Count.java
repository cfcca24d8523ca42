package argus.lab;

import java.nio.charset.StandardCharsets;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/** How many events of a key there were up to and with the one named by {@code id} and {@code seq}. */
public class Count {
    public String key = "";
    public long count;
    public String id = "";
    public long seq;

    public Count() {}

    public Count(String key, long count, String id, long seq) {
        this.key = key;
        this.count = count;
        this.id = id;
        this.seq = seq;
    }

    String json() {
        return "{\"key\":" + FlatJson.quote(key) + ",\"count\":" + count + ",\"id\":" + FlatJson.quote(id) + ",\"seq\":" + seq + "}";
    }

    /** Writes a count as a record: the key is the event's key, the value is JSON. */
    static class Writer implements KafkaRecordSerializationSchema<Count> {
        private static final long serialVersionUID = 1;
        private final String topic;

        Writer(String topic) {
            this.topic = topic;
        }

        @Override
        public ProducerRecord<byte[], byte[]> serialize(Count count, KafkaSinkContext context, Long timestamp) {
            return new ProducerRecord<>(
                    topic, count.key.getBytes(StandardCharsets.UTF_8), count.json().getBytes(StandardCharsets.UTF_8));
        }
    }
}

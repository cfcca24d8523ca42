package argus.lab;

import java.nio.charset.StandardCharsets;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** One record of the input topic. A value that is no event still counts under its record key. */
public class Event {
    public String key = "";
    public String id = "";
    public long seq = -1;

    public Event() {}

    public Event(String key, String id, long seq) {
        this.key = key;
        this.id = id;
        this.seq = seq;
    }

    /** Reads a record: the record's key is the event's key; {@code id} and {@code seq} come from the JSON value. */
    static Event of(byte[] key, byte[] value) {
        String name = key == null ? "" : new String(key, StandardCharsets.UTF_8);
        FlatJson json = FlatJson.parse(value == null ? "" : new String(value, StandardCharsets.UTF_8));
        String seq = json.get("seq", "-1");
        return new Event(name, json.get("id", ""), seq.matches("-?[0-9]{1,18}") ? Long.parseLong(seq) : -1);
    }

    /** Turns Kafka records into events; never fails on a foreign value. */
    static class Reader implements KafkaRecordDeserializationSchema<Event> {
        private static final long serialVersionUID = 1;

        @Override
        public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Event> out) {
            out.collect(of(record.key(), record.value()));
        }

        @Override
        public TypeInformation<Event> getProducedType() {
            return Types.POJO(Event.class);
        }
    }
}

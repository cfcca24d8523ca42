import java.util.Collection;
import java.util.TreeMap;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;

/**
 * A job that copies one topic to another exactly once, in a Flink of its own, until the process is killed:
 * {@code run <brokers> <in> <out> <group> <transactional id prefix> <folder of checkpoints> [<restore from>]}. And what
 * brokers know of transactions: {@code transactions <brokers>} prints a line for each id, with state, producer and epoch.
 */
public class SinkJob {
    public static void main(String[] args) throws Exception {
        if (args[0].equals("transactions")) transactions(args[1]);
        else run(args);
    }

    private static void run(String[] args) throws Exception {
        Configuration settings = new Configuration();
        settings.setString("execution.checkpointing.interval", "700ms");
        settings.setString("execution.checkpointing.dir", args[6]);
        settings.setString("execution.checkpointing.num-retained", "20");
        settings.setString("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
        settings.setString("restart-strategy.type", "none");
        if (args.length > 7) settings.setString("execution.state-recovery.path", args[7]);
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(1, settings);
        KafkaSource<String> in =
                KafkaSource.<String>builder()
                        .setBootstrapServers(args[1])
                        .setTopics(args[2])
                        .setGroupId(args[4])
                        .setStartingOffsets(OffsetsInitializer.earliest())
                        .setValueOnlyDeserializer(new SimpleStringSchema())
                        .build();
        KafkaSink<String> out =
                KafkaSink.<String>builder()
                        .setBootstrapServers(args[1])
                        .setRecordSerializer(
                                KafkaRecordSerializationSchema.<String>builder()
                                        .setTopic(args[3])
                                        .setValueSerializationSchema(new SimpleStringSchema())
                                        .build())
                        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
                        .setTransactionalIdPrefix(args[5])
                        .setProperty("transaction.timeout.ms", "600000")
                        .build();
        env.fromSource(in, WatermarkStrategy.noWatermarks(), "in").uid("in").sinkTo(out).name("out").uid("out");
        env.execute("copy");
    }

    private static void transactions(String brokers) throws Exception {
        try (Admin admin = Admin.create(java.util.Map.of("bootstrap.servers", brokers))) {
            Collection<TransactionListing> all = admin.listTransactions().all().get();
            TreeMap<String, TransactionDescription> told =
                    new TreeMap<>(
                            admin.describeTransactions(all.stream().map(TransactionListing::transactionalId).toList())
                                    .all()
                                    .get());
            told.forEach(
                    (id, t) -> System.out.println(id + " " + t.state() + " " + t.producerId() + " " + t.producerEpoch()));
        }
    }
}

package argus.lab;

import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;

/**
 * The lab's job: events in, a running count per key out, exactly once.
 *
 * <p>Arguments: {@code --brokers host:port --in topic --out topic --group id --txid prefix [--parallelism n] [--user name]
 * [--counter-uid uid]}.
 * With a user it logs in to the brokers by the password in the variable KAFKA_PASSWORD of the JobManager. With another uid
 * the counter doesn't find the state that it kept as {@code counter}.
 * It starts at the group's committed offsets and fails where there are none: a quiet jump to the start or the end
 * of the topic would hide a loss. State backend, checkpoint interval and folder come from the cluster's config.yaml.
 */
public final class CountsJob {
    private static final Set<String> NEEDED = Set.of("brokers", "in", "out", "group", "txid");

    private CountsJob() {}

    public static void main(String[] args) throws Exception {
        Map<String, String> options = options(args);
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        if (options.containsKey("parallelism")) env.setParallelism(Integer.parseInt(options.get("parallelism")));

        KafkaSource<Event> events =
                KafkaSource.<Event>builder()
                        .setBootstrapServers(options.get("brokers"))
                        .setTopics(options.get("in"))
                        .setGroupId(options.get("group"))
                        .setStartingOffsets(OffsetsInitializer.committedOffsets(OffsetResetStrategy.NONE))
                        .setDeserializer(new Event.Reader())
                        .setProperty("isolation.level", "read_committed")
                        .setProperties(login(options))
                        .build();
        KafkaSink<Count> counts =
                KafkaSink.<Count>builder()
                        .setBootstrapServers(options.get("brokers"))
                        .setRecordSerializer(new Count.Writer(options.get("out")))
                        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
                        .setTransactionalIdPrefix(options.get("txid"))
                        // Longer than any pause between two checkpoints, below the broker's limit of 15 minutes.
                        .setProperty("transaction.timeout.ms", "600000")
                        .setKafkaProducerConfig(login(options))
                        .build();

        env.fromSource(events, WatermarkStrategy.noWatermarks(), "events").uid("events")
                .keyBy(event -> event.key, Types.STRING)
                .process(new Counter()).returns(Types.POJO(Count.class)).name("counter").uid(options.getOrDefault("counter-uid", "counter"))
                .sinkTo(counts).name("counts").uid("counts");
        env.execute("counts");
    }

    /** How the job's clients log in; nothing without a user. */
    private static Properties login(Map<String, String> options) {
        Properties login = new Properties();
        String user = options.get("user");
        if (user == null) return login;
        String password = System.getenv("KAFKA_PASSWORD");
        if (password == null) throw new IllegalArgumentException("--user needs the variable KAFKA_PASSWORD");
        login.setProperty("security.protocol", "SASL_PLAINTEXT");
        login.setProperty("sasl.mechanism", "SCRAM-SHA-512");
        login.setProperty(
                "sasl.jaas.config",
                "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"" + user
                        + "\" password=\"" + password + "\";");
        return login;
    }

    private static Map<String, String> options(String[] args) {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < args.length; i += 2) {
            if (!args[i].startsWith("--") || i + 1 == args.length) {
                throw new IllegalArgumentException("expected --name value, not " + args[i]);
            }
            options.put(args[i].substring(2), args[i + 1]);
        }
        for (String name : NEEDED) {
            if (!options.containsKey(name)) throw new IllegalArgumentException("--" + name + " is missing");
        }
        return options;
    }
}

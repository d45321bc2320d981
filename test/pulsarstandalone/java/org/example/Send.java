package org.example;

import org.apache.pulsar.client.api.Producer;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.Schema;

/** Sends texts: service URL, topic, and the texts. */
public final class Send {
    private Send() {
    }

    public static void main(String[] arguments) throws Exception {
        try (PulsarClient client = PulsarClient.builder().serviceUrl(arguments[0]).build();
                Producer<String> producer = client.newProducer(Schema.STRING).topic(arguments[1]).create()) {
            for (int i = 2; i < arguments.length; i++) {
                producer.send(arguments[i]);
            }
        }
    }
}

import java.nio.file.Path;
import java.util.Map;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/** Starts one Elasticsearch node from plain jars: no launcher, no entitlement agent, no seccomp, root allowed. Tests only. */
public class NodeMain {
    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(System.getProperty("es.path.home"));
        Path config = Path.of(System.getProperty("es.path.conf"));
        Settings settings = Settings.builder().put("path.home", home.toString()).build();
        LogConfigurator.registerErrorListener();
        LogConfigurator.configureESLogging();
        Environment environment = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), config, () -> "lupus");
        LogConfigurator.setNodeName(Node.NODE_NAME_SETTING.get(environment.settings()));
        LogConfigurator.configure(environment, true);
        var modules = PluginsLoader.loadModulesBundles(environment.modulesDir(), false);
        var plugins = PluginsLoader.loadPluginsBundles(environment.pluginsDir(), false);
        Node node = new Node(environment, PluginsLoader.createPluginsLoader(modules, plugins, Map.of()));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        node.start();
        Thread.currentThread().join();
    }

    private static void close(Node node) {
        try {
            node.prepareForClose();
            node.close();
        } catch (Exception error) {
            error.printStackTrace();
        }
    }
}

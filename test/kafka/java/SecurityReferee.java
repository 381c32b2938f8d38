import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.UserScramCredentialsDescription;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.token.delegation.DelegationToken;

/**
 * Prints as one line of JSON what Kafka's own admin client says of ACLs, SCRAM users, client quotas and delegation
 * tokens. Input, a line each: the bootstrap servers, those of a listener with SASL/PLAIN, its user name and password,
 * and whether the brokers have users and quotas ("all") or not ("some").
 */
public class SecurityReferee {
  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    String hosts = in.readLine();
    String saslHosts = in.readLine();
    String username = in.readLine();
    String password = in.readLine();
    boolean hasAll = in.readLine().equals("all");
    Map<String, Object> all = new TreeMap<>();
    Properties properties = new Properties();
    properties.put("bootstrap.servers", hosts);
    try (Admin admin = Admin.create(properties)) {
      all.put("acls", acls(admin));
      if (hasAll) {
        all.put("users", users(admin));
        all.put("quotas", quotas(admin));
      }
    }
    properties.put("bootstrap.servers", saslHosts);
    properties.put("security.protocol", "SASL_PLAINTEXT");
    properties.put("sasl.mechanism", "PLAIN");
    String module = "org.apache.kafka.common.security.plain.PlainLoginModule required";
    properties.put(
        "sasl.jaas.config", module + " username=\"" + username + "\" password=\"" + password + "\";");
    try (Admin admin = Admin.create(properties)) {
      all.put("tokens", tokens(admin));
    }
    System.out.println(json(all));
  }

  private static Object acls(Admin admin) throws Exception {
    List<Object> acls = new ArrayList<>();
    for (AclBinding binding : admin.describeAcls(AclBindingFilter.ANY).values().get()) {
      Map<String, Object> acl = new TreeMap<>();
      acl.put("resourceType", camelCase(binding.pattern().resourceType().name()));
      acl.put("resourceName", binding.pattern().name());
      acl.put("patternType", camelCase(binding.pattern().patternType().name()));
      acl.put("principal", binding.entry().principal());
      acl.put("host", binding.entry().host());
      acl.put("operation", camelCase(binding.entry().operation().name()));
      acl.put("permission", camelCase(binding.entry().permissionType().name()));
      acls.add(acl);
    }
    return acls;
  }

  private static Object users(Admin admin) throws Exception {
    List<Object> users = new ArrayList<>();
    for (UserScramCredentialsDescription description :
        new TreeMap<>(admin.describeUserScramCredentials().all().get()).values()) {
      List<Object> credentials = new ArrayList<>();
      List<ScramCredentialInfo> infos = new ArrayList<>(description.credentialInfos());
      infos.sort((a, b) -> a.mechanism().compareTo(b.mechanism()));
      for (ScramCredentialInfo info : infos) {
        Map<String, Object> credential = new TreeMap<>();
        credential.put("mechanism", info.mechanism().mechanismName());
        credential.put("iterations", info.iterations());
        credentials.add(credential);
      }
      Map<String, Object> user = new TreeMap<>();
      user.put("user", description.name());
      user.put("credentials", credentials);
      users.add(user);
    }
    return users;
  }

  private static Object quotas(Admin admin) throws Exception {
    List<Object> quotas = new ArrayList<>();
    for (Map.Entry<ClientQuotaEntity, Map<String, Double>> entry :
        admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get().entrySet()) {
      Map<String, Object> entity = new TreeMap<>();
      for (Map.Entry<String, String> part : entry.getKey().entries().entrySet()) {
        entity.put(part.getKey().equals("client-id") ? "clientId" : part.getKey(), part.getValue());
      }
      Map<String, Object> quota = new TreeMap<>();
      quota.put("entity", entity);
      quota.put("quotas", new TreeMap<>(entry.getValue()));
      quotas.add(quota);
    }
    return quotas;
  }

  private static Object tokens(Admin admin) throws Exception {
    List<Object> tokens = new ArrayList<>();
    for (DelegationToken described : admin.describeDelegationToken().delegationTokens().get()) {
      TreeSet<String> renewers = new TreeSet<>();
      for (KafkaPrincipal renewer : described.tokenInfo().renewers()) renewers.add(renewer.toString());
      Map<String, Object> token = new TreeMap<>();
      token.put("tokenId", described.tokenInfo().tokenId());
      token.put("hmac", described.hmacAsBase64String());
      token.put("owner", described.tokenInfo().owner().toString());
      token.put("renewers", new ArrayList<>(renewers));
      token.put("issueTimestampMs", described.tokenInfo().issueTimestamp());
      token.put("expiryTimestampMs", described.tokenInfo().expiryTimestamp());
      token.put("maxTimestampMs", described.tokenInfo().maxTimestamp());
      tokens.add(token);
    }
    return tokens;
  }

  /** TRANSACTIONAL_ID becomes transactionalId. */
  private static String camelCase(String name) {
    StringBuilder text = new StringBuilder();
    for (String word : name.split("_")) {
      text.append(text.length() == 0 ? word.toLowerCase() : word.charAt(0) + word.substring(1).toLowerCase());
    }
    return text.toString();
  }

  private static String json(Object value) {
    if (value instanceof Map<?, ?> map) {
      List<String> fields = new ArrayList<>();
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        fields.add(json(entry.getKey()) + ":" + json(entry.getValue()));
      }
      return "{" + String.join(",", fields) + "}";
    }
    if (value instanceof Collection<?> list) {
      List<String> elements = new ArrayList<>();
      for (Object element : list) elements.add(json(element));
      return "[" + String.join(",", elements) + "]";
    }
    if (value instanceof String text) return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    return String.valueOf(value);
  }
}
